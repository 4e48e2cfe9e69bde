"""The interface for other modules: functions that take and return plain values, never rows."""

from .auth import auth, current_actor
from .contracts import Actor, Role, Scope
from .permissions import at_least, require
from .services import acting_for, ensure_organization, record, set_staff

__all__ = [
    "Actor",
    "Role",
    "Scope",
    "acting_for",
    "at_least",
    "auth",
    "current_actor",
    "ensure_organization",
    "record",
    "require",
    "set_staff",
]
