"""The face of this module to the others: plain values in and out, never what the database gave."""

from .authentication import current_actor, protect, requires
from .contracts import Actor, Role, Scope
from .permissions import at_least, require
from .services import ensure_organization, record

__all__ = [
    "Actor",
    "Role",
    "Scope",
    "at_least",
    "current_actor",
    "ensure_organization",
    "protect",
    "record",
    "require",
    "requires",
]
