"""The request id: it joins a response, its log lines and its audit entries."""

import re
import secrets

from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars

REQUEST_ID_HEADER = "X-Request-ID"
VALID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def begin_request(sent_id: str | None) -> str:
    """Start the log context of a request and return its id.

    It is the client's `X-Request-ID`, if that is at most 64 letters, digits, `.`, `_` and `-`; else random.
    """
    request_id = sent_id if sent_id and VALID.fullmatch(sent_id) else secrets.token_hex(16)
    clear_contextvars()
    bind_contextvars(request_id=request_id)
    return request_id


def current_request_id() -> str:
    """Return the id of the current request; an empty string outside of one."""
    return str(get_contextvars().get("request_id", ""))
