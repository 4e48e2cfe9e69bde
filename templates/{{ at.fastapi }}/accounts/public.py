"""The interface for other modules: functions that take and return plain values, never rows."""

from .contracts import Actor, Role
from .dependencies import BearerToken, Reader, Writer, authenticate_reader, bearer_token, get_actor
from .errors import InvalidTokenError, MissingRoleError, MissingScopeError, NotSignedInError
from .permissions import at_least, require
from .services import ensure_organization, record, set_staff

__all__ = [
    "Actor",
    "BearerToken",
    "InvalidTokenError",
    "MissingRoleError",
    "MissingScopeError",
    "NotSignedInError",
    "Reader",
    "Role",
    "Writer",
    "at_least",
    "authenticate_reader",
    "bearer_token",
    "ensure_organization",
    "get_actor",
    "record",
    "require",
    "set_staff",
]
