"""The face of this module: what other modules may call. Plain values go in and out, never rows."""

from .errors import ForeignOriginError, UnknownEventError
from .services import publish
from .state import State, with_events
from .streams import EventStream, Feed, describe, serve, socket_token

__all__ = [
    "EventStream",
    "Feed",
    "ForeignOriginError",
    "State",
    "UnknownEventError",
    "describe",
    "publish",
    "serve",
    "socket_token",
    "with_events",
]
