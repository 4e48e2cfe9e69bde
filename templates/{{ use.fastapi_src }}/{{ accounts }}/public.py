"""The face of this module: what other modules may call. Plain values go in and out, never rows."""

from .contracts import Actor, Role
from .dependencies import Reader, Writer, get_actor
from .errors import InvalidTokenError, MissingRoleError, MissingScopeError, NotSignedInError
from .permissions import at_least, require
from .services import ensure_organization, record

__all__ = [
    "Actor",
    "InvalidTokenError",
    "MissingRoleError",
    "MissingScopeError",
    "NotSignedInError",
    "Reader",
    "Role",
    "Writer",
    "at_least",
    "ensure_organization",
    "get_actor",
    "record",
    "require",
]
