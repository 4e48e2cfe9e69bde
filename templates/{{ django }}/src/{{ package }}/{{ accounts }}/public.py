"""What other modules may use: plain values, never models."""

from django.http import HttpRequest

from ..core.problems import Problem
from .contracts import Actor, Role
from .permissions import at_least, require
from .queries import acting_for, organizations_of, roles_of
from .services import ensure_organization, record

__all__ = [
    "Actor",
    "Role",
    "acting_for",
    "actor_of",
    "at_least",
    "ensure_organization",
    "organizations_of",
    "record",
    "require",
    "roles_of",
]


def actor_of(request: HttpRequest) -> Actor:
    """Who sent an API request.

    Raises:
        Problem: 401, nobody signed in with a token.
    """
    actor = getattr(request, "auth", None)
    if not isinstance(actor, Actor):
        raise Problem(401, "Sign in with a token.", headers={"WWW-Authenticate": "Bearer"})
    return actor
