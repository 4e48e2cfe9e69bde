"""Roles, compared from least to most."""

from ..core.problems import Problem
from .contracts import Actor, Role

_RANKS = {role: rank for rank, role in enumerate(Role)}


def at_least(actor: Actor, role: Role) -> bool:
    """Return whether the actor has the role or a higher one."""
    return _RANKS[actor.role] >= _RANKS[role]


def require(actor: Actor, role: Role) -> None:
    """Check the actor's role.

    Raises:
        Problem: 403, the actor has a lower role.
    """
    if not at_least(actor, role):
        raise Problem(403, f"This needs the role '{role.value}' in the organization.")
