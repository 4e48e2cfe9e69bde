"""What is the same about every request, whichever framework serves it."""

import re
import secrets

import structlog

MAX_BODY_BYTES = 1024 * 1024

REQUEST_ID_HEADER = "X-Request-ID"
_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# Sent in production only: a browser remembers it for the host, and localhost is everybody's.
HSTS = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")


def begin_request(sent_id: str | None) -> str:
    """Start a request's log context and return its id: the one that was sent if it is sane, else a new."""
    request_id = sent_id if sent_id and _SANE_REQUEST_ID.fullmatch(sent_id) else secrets.token_hex(16)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id)
    return request_id


def current_request_id() -> str:
    """The id of the request that is being served; empty outside of one."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))
