"""What is read from the database."""

import unicodedata
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from .contracts import Actor, Role
from .models import Membership, Organization, User


class Member(NamedTuple):
    """A membership and whose it is."""

    membership: Membership
    user: User

    def actor(self) -> Actor:
        """The user as somebody who acts for the organization."""
        return Actor(
            user_id=self.user.id,
            organization_id=self.membership.organization_id,
            role=Role(self.membership.role),
            email=self.user.email,
        )


def normalized(email: str) -> str:
    """An address in the one form in which it is stored, so that no second user differs in case only."""
    return unicodedata.normalize("NFKC", email).strip().lower()


async def user_with(session: AsyncSession, email: str) -> User | None:
    """The user with this address, in any case; none if there is none."""
    return await session.scalar(select(User).where(User.email == normalized(email)))


async def member(session: AsyncSession, membership_id: UUID) -> Member | None:
    """The member with this membership; none if it has ended."""
    return await _first(session, _members().where(Membership.id == membership_id))


async def member_of(
    session: AsyncSession, *, user_id: UUID, organization_id: UUID | None = None
) -> Member | None:
    """The user as a member of this organization, by default of the one joined first."""
    members = _members().where(Membership.user_id == user_id)
    if organization_id is not None:
        members = members.where(Membership.organization_id == organization_id)
    return await _first(session, members.order_by(Membership.created_at, Membership.id))


async def organization_name(session: AsyncSession, organization_id: UUID) -> str:
    """The name of an organization that is there."""
    return (await session.scalars(select(Organization.name).where(Organization.id == organization_id))).one()


def _members() -> Select[Membership, User]:
    return select(Membership, User).join(User, User.id == Membership.user_id)


async def _first(session: AsyncSession, members: Select[Membership, User]) -> Member | None:
    row = (await session.execute(members.limit(1))).first()
    return row and Member(*row)
