"""What each action takes: the roles of an organization, from least to most."""

from enum import Enum

from ..accounts import public as accounts
from ..accounts.public import Actor, Role


class Action(Enum):
    """What can be done with invoices, and the least role that may."""

    READ = Role.VIEWER
    CREATE = Role.MEMBER
    VOID = Role.OWNER


def require(actor: Actor, action: Action) -> None:
    """Let nobody pass who may not.

    Raises:
        MissingRoleError: with the role that it takes.
    """
    accounts.require(actor, action.value)
