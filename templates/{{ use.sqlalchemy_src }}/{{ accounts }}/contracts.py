"""The plain values that leave this module."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What a member may do, from least to most; `permissions.at_least` compares."""

    VIEWER = "viewer"
    MEMBER = "member"
    OWNER = "owner"


class Scope(StrEnum):
    """What a token may be used for."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and for which organization."""

    user_id: UUID
    organization_id: UUID
    role: Role
    email: str
