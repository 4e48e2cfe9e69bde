"""Who may do what: roles, from least to most, and the scopes that a role can have."""

from http import HTTPStatus

from ..core.problems import Problem
from .contracts import Actor, Role, Scope

_RANKS = {role: rank for rank, role in enumerate(Role)}


def at_least(actor: Actor, role: Role) -> bool:
    """Whether the actor has this role or one that may do more."""
    return _RANKS[actor.role] >= _RANKS[role]


def require(actor: Actor, role: Role) -> None:
    """Let nobody pass who has less than this role.

    Raises:
        Problem: 403, with the role that it takes.
    """
    if not at_least(actor, role):
        raise Problem(HTTPStatus.FORBIDDEN, f"This takes the role '{role}' in the organization.")


def scopes_of(role: Role) -> frozenset[Scope]:
    """What a token can at most be used for by somebody with this role."""
    return frozenset({Scope.READ} if role is Role.VIEWER else Scope)
