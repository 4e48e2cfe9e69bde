"""Reads."""

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Select, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from .contracts import Actor, Role
from .models import Membership, Organization, User


class Member(NamedTuple):
    """A membership and its user."""

    membership_id: UUID
    organization_id: UUID
    role: str
    user_id: UUID
    email: str
    is_active: bool
    password_hash: str

    def actor(self) -> Actor:
        return Actor(
            user_id=self.user_id,
            organization_id=self.organization_id,
            role=Role(self.role),
            email=self.email,
        )


def normalize_email(email: str) -> str:
    """Return the address in the form in which it is stored: no two users differ only in case."""
    return unicodedata.normalize("NFKC", email).strip().lower()


async def get_user_by_email(session: AsyncSession, email: str) -> User | None:
    return await session.scalar(select(User).where(User.email == normalize_email(email)))


async def get_member(session: AsyncSession, membership_id: UUID) -> Member | None:
    row = (await session.execute(_MEMBER, {"membership_id": membership_id})).first()
    return None if row is None else Member(*row)


async def get_member_of(
    session: AsyncSession, *, user_id: UUID, organization_id: UUID | None = None
) -> Member | None:
    """Return a user as a member of an organization, by default of the one joined first."""
    members = _members().where(Membership.user_id == user_id)
    if organization_id is not None:
        members = members.where(Membership.organization_id == organization_id)
    row = (await session.execute(members.order_by(Membership.created_at, Membership.id).limit(1))).first()
    return None if row is None else Member(*row)


async def list_organization_ids(session: AsyncSession, user_id: UUID) -> Sequence[UUID]:
    """Return the organizations of a user, in a stable order."""
    memberships = select(Membership.organization_id).where(Membership.user_id == user_id)
    return (await session.scalars(memberships.order_by(Membership.created_at, Membership.id))).all()


async def get_organization_name(session: AsyncSession, organization_id: UUID) -> str:
    return (await session.scalars(select(Organization.name).where(Organization.id == organization_id))).one()


def _members() -> Select[UUID, UUID, str, UUID, str, bool, str]:
    return select(
        Membership.id,
        Membership.organization_id,
        Membership.role,
        User.id,
        User.email,
        User.is_active,
        User.password_hash,
    ).join(User, User.id == Membership.user_id)


# Built once: every request with a token runs it.
_MEMBER = _members().where(Membership.id == bindparam("membership_id"))
