"""The request id: it joins a response, its log lines and its audit entries."""

import re
import secrets

import structlog

MAX_BODY_BYTES = 1024 * 1024
REQUEST_ID_HEADER = "X-Request-ID"
_VALID_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def begin_request(sent_id: str | None) -> str:
    """Start the log context of a request.

    Args:
        sent_id: the client's `X-Request-ID`; used if it is at most 64 letters, digits, `.`, `_` and `-`.

    Returns:
        The request id: `sent_id`, or a new random one.
    """
    request_id = sent_id if sent_id and _VALID_REQUEST_ID.fullmatch(sent_id) else secrets.token_hex(16)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id)
    return request_id


def current_request_id() -> str:
    """Return the id of the current request; an empty string outside of one."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))
