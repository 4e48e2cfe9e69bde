"""The interface for other modules: plain values, never models."""

from django.http import HttpRequest

from ..core.problems import Problem
from .contracts import Actor, Role
from .queries import acting_for, organizations_of, roles_of
from .roles import at_least, require
from .services import ensure_organization, record
from .tenant_admin import TenantAdmin, user_id_of

__all__ = [
    "Actor",
    "Role",
    "TenantAdmin",
    "acting_for",
    "actor_of",
    "at_least",
    "ensure_organization",
    "organizations_of",
    "record",
    "require",
    "roles_of",
    "user_id_of",
]


def actor_of(request: HttpRequest) -> Actor:
    """Return the actor of an API request.

    Raises:
        Problem: 401, the request has no token.
    """
    actor = getattr(request, "auth", None)
    if not isinstance(actor, Actor):
        raise Problem(401, "Sign in with a token.", headers={"WWW-Authenticate": "Bearer"})
    return actor
