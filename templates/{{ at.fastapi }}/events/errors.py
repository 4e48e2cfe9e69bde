"""Errors of this module, each with a `type` of its own."""

from ..core.errors import ApiError

BUSY_SECONDS = 5


class UnknownEventError(ApiError):
    """The client is too far behind, or its events are from another database."""

    status = 409
    type = "urn:problem:unknown-event"
    title = "Unknown event"
    detail = "This event is not kept, or never was; read the current state, then connect without an id."


class ForeignOriginError(ApiError):
    status = 403
    type = "urn:problem:foreign-origin"
    title = "Foreign origin"
    detail = "Pages of this origin may not connect."


class TooBusyError(ApiError):
    status = 503
    type = "urn:problem:too-busy"
    title = "Too busy"
    detail = "Too many summaries are being written; try again in a moment."

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": str(BUSY_SECONDS)})


class ProviderFailedError(ApiError):
    status = 502
    type = "urn:problem:provider-failed"
    title = "Provider failed"
    detail = "The model failed; the text so far is incomplete."


class ProviderTooSlowError(ApiError):
    status = 504
    type = "urn:problem:provider-too-slow"
    title = "Provider too slow"
    detail = "The model took too long; the text so far is incomplete."
