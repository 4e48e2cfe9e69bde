"""Authorization rules: what each role may do, and which scopes a token can have."""

from collections.abc import Mapping
from typing import NamedTuple

from .contracts import Actor, Role, Scope
from .errors import MissingRoleError

_RANKS = {role: rank for rank, role in enumerate(Role)}


class ScopeRule(NamedTuple):
    """The description of a scope, and the minimum role."""

    description: str
    least_role: Role
    # Granted to a client that names no scopes.
    by_default: bool = False


SCOPES: Mapping[Scope, ScopeRule] = {
    Scope.READ: ScopeRule("Read the organization's data.", Role.VIEWER, by_default=True),
    Scope.WRITE: ScopeRule("Change the organization's data.", Role.MEMBER, by_default=True),
}
DEFAULT_SCOPES = frozenset(scope for scope, rule in SCOPES.items() if rule.by_default)


def at_least(actor: Actor, role: Role) -> bool:
    """Return whether the actor has this role or a higher one."""
    return _RANKS[actor.role] >= _RANKS[role]


def require(actor: Actor, role: Role) -> None:
    """Require this role or a higher one.

    Raises:
        MissingRoleError: the actor's role is lower.
    """
    if not at_least(actor, role):
        raise MissingRoleError(role)


def scopes_of(role: Role) -> frozenset[Scope]:
    """Return the scopes that somebody with this role can be granted."""
    return frozenset(scope for scope, rule in SCOPES.items() if _RANKS[role] >= _RANKS[rule.least_role])
