"""What this module refuses. Each class is raised as it is, and is its own entry in the contract."""

from ..core.errors import ApiError

BUSY_SECONDS = 5


class UnknownEventError(ApiError):
    """The client fell too far behind, or its events came from a database that is no longer this one."""

    status = 409
    type = "urn:problem:unknown-event"
    title = "Unknown event"
    detail = "This is not one of the events that are kept; read what there is, then follow without an id."


class ForeignOriginError(ApiError):
    status = 403
    type = "urn:problem:foreign-origin"
    title = "Foreign origin"
    detail = "Pages of this origin may not connect."


class TooBusyError(ApiError):
    status = 503
    type = "urn:problem:too-busy"
    title = "Too busy"
    detail = "As many summaries as possible are being written; try again in a moment."

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": str(BUSY_SECONDS)})


class ProviderFailedError(ApiError):
    status = 502
    type = "urn:problem:provider-failed"
    title = "Provider failed"
    detail = "The model failed; what came so far is incomplete."


class ProviderTooSlowError(ApiError):
    status = 504
    type = "urn:problem:provider-too-slow"
    title = "Provider too slow"
    detail = "The model took too long; what came so far is incomplete."
