"""Reads."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Select, and_, bindparam, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from ..core.pagination import decode_keyset, encode_keyset
from .addresses import normalize_email
from .contracts import Actor, Role
from .models import Invitation, Membership, Organization, User


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


class ListedMember(NamedTuple):
    """A member as others see them; `id` is that of the membership."""

    id: UUID
    user_id: UUID
    email: str
    name: str
    role: str
    created_at: datetime


class OwnOrganization(NamedTuple):
    """An organization of a user, and their role in it."""

    id: UUID
    name: str
    role: str


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


async def list_organizations(session: AsyncSession, user_id: UUID) -> Sequence[OwnOrganization]:
    """Return the organizations of a user, in the order of joining."""
    memberships = (
        select(Organization.id, Organization.name, Membership.role)
        .join(Membership, Membership.organization_id == Organization.id)
        .where(Membership.user_id == user_id)
        .order_by(Membership.created_at, Membership.id)
    )
    return [OwnOrganization(*row) for row in await session.execute(memberships)]


async def get_names(session: AsyncSession, actor: Actor) -> tuple[str, str]:
    """Return the names of the user and of the organization."""
    names = (
        select(User.name, Organization.name)
        .join(Membership, Membership.user_id == User.id)
        .join(Organization, Organization.id == Membership.organization_id)
        .where(User.id == actor.user_id, Organization.id == actor.organization_id)
    )
    user, organization = (await session.execute(names)).one()
    return user, organization


async def list_members(
    session: AsyncSession, organization_id: UUID, *, limit: int, cursor: str | None = None
) -> tuple[Sequence[ListedMember], str | None]:
    """Return a page of the tenant's members, oldest first, and the cursor of the next page.

    Args:
        session: the caller's.
        organization_id: the tenant.
        limit: the page size.
        cursor: that of the page before.
    """
    members = _listed().where(Membership.organization_id == organization_id)
    if cursor is not None:
        created_at, member_id = decode_keyset(cursor)
        same_time = and_(Membership.created_at == created_at, Membership.id > member_id)
        members = members.where(or_(Membership.created_at > created_at, same_time))
    # Keyset pagination; one more row tells whether there is a next page.
    members = members.order_by(Membership.created_at, Membership.id).limit(limit + 1)
    found = [ListedMember(*row) for row in await session.execute(members)]
    page = found[:limit]
    return page, encode_keyset(page[-1].created_at, page[-1].id) if len(found) > limit else None


async def get_listed_member(session: AsyncSession, member_id: UUID) -> ListedMember:
    return ListedMember(*(await session.execute(_listed().where(Membership.id == member_id))).one())


def open_invitations(organization_id: UUID) -> Select[Invitation]:
    """Select the tenant's invitations that are neither accepted nor revoked, oldest first."""
    invitations = select(Invitation).where(
        Invitation.organization_id == organization_id,
        Invitation.accepted_at.is_(None),
        Invitation.revoked_at.is_(None),
    )
    return invitations.order_by(Invitation.created_at, Invitation.id)


def _listed() -> Select[UUID, UUID, str, str, str, datetime]:
    return select(Membership.id, User.id, User.email, User.name, Membership.role, Membership.created_at).join(
        User, User.id == Membership.user_id
    )


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
