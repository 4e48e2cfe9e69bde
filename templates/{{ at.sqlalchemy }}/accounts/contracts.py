"""Plain values for other modules."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """The roles of a member, in ascending order; `permissions.at_least` compares them."""

    VIEWER = "viewer"
    MEMBER = "member"
    OWNER = "owner"


class Scope(StrEnum):
    """The scopes of a token."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Actor:
    """The signed-in user, in one of the user's organizations (the tenant)."""

    user_id: UUID
    organization_id: UUID
    role: Role
    email: str
