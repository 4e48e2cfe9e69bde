"""Roles, from least to most, and the scopes that each can have."""

from http import HTTPStatus

from ..core.problems import Problem
from .contracts import Actor, Role, Scope

_RANKS = {role: rank for rank, role in enumerate(Role)}


def at_least(actor: Actor, role: Role) -> bool:
    """Return whether the actor has this role or a higher one."""
    return _RANKS[actor.role] >= _RANKS[role]


def require(actor: Actor, role: Role) -> None:
    """Require this role or a higher one.

    Raises:
        Problem: 403, the actor has a lower role.
    """
    if not at_least(actor, role):
        raise Problem(HTTPStatus.FORBIDDEN, f"This takes the role '{role}' in the organization.")


def scopes_of(role: Role) -> frozenset[Scope]:
    """Return the scopes that a token of a member with this role can have."""
    return frozenset({Scope.READ} if role is Role.VIEWER else Scope)
