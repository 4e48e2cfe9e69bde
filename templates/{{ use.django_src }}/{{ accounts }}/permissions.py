"""Who may do what: roles, from least to most."""

from ..core.problems import Problem
from .contracts import Actor, Role

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
        raise Problem(403, f"This takes the role '{role.value}' in the organization.")
