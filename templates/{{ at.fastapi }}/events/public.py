"""The interface for other modules: functions that take and return plain values, never rows."""

from .errors import ForeignOriginError, UnknownEventError
from .services import publish
from .streams import EventStream, Feed, message, serve, socket_token, stream_of

__all__ = [
    "EventStream",
    "Feed",
    "ForeignOriginError",
    "UnknownEventError",
    "message",
    "publish",
    "serve",
    "socket_token",
    "stream_of",
]
