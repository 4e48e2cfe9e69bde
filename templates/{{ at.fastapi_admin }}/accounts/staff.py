"""Staff: users who may use the admin, for the organizations that they are members of."""

from collections.abc import Collection
from uuid import UUID

from fastapi import Request
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from ..core.admin import Staff
from ..core.errors import ApiError
from . import queries, visitors
from .contracts import Actor, Role
from .errors import MissingRoleError, NotAMemberError
from .models import Membership, Organization, User
from .services import record

# FOR NO KEY UPDATE: audit entries that refer to the row are not blocked, which could deadlock.
KEY_STAYS = {"key_share": True}


class NotStaffError(ApiError):
    status = 403
    type = "urn:problem:not-staff"
    title = "Not staff"
    detail = "The admin is for staff only."


class LastOwnerError(ApiError):
    status = 409
    type = "urn:problem:last-owner"
    title = "Last owner"
    detail = "The organization has no other active owner; make another member its owner first."


async def find_staff(request: Request) -> Staff:
    """Return the member of staff who is signed in.

    Raises:
        Elsewhere: redirect to the sign-in page.
        NotStaffError: the user is not on the staff.
    """
    visitor = await visitors.get_visitor(request, request.state.settings)
    if not visitor.is_staff:
        raise NotStaffError
    async with request.state.read_sessions() as session:
        memberships = await visitors.memberships_of(session, visitor.actor.user_id)
    return Staff(
        user_id=visitor.actor.user_id,
        email=visitor.actor.email,
        organizations={membership.organization_id: name for membership, name in memberships},
        owned=frozenset(
            membership.organization_id for membership, _ in memberships if membership.role == Role.OWNER
        ),
    )


async def acting_for(session: AsyncSession, staff: Staff, organization_id: UUID) -> Actor:
    """Return the actor for a member of staff in an organization.

    Raises:
        NotAMemberError: they are not, or no longer, a member of it.
    """
    member = await queries.get_member_of(session, user_id=staff.user_id, organization_id=organization_id)
    if member is None:
        raise NotAMemberError
    return member.actor()


async def owns_all_of(session: AsyncSession, staff: Staff, user_id: UUID) -> bool:
    """Return whether the member of staff owns every organization of the user."""
    memberships = await visitors.memberships_of(session, user_id)
    return {membership.organization_id for membership, _ in memberships} <= staff.owned


async def keep_an_owner(session: AsyncSession, organization_id: UUID) -> None:
    """Check, after a change in this transaction, that the organization still has an active owner.

    Raises:
        LastOwnerError: it has none.
    """
    await _lock(session, [organization_id])
    owners = (
        select(Membership)
        .join(Membership.user)
        .where(Membership.organization_id == organization_id, Membership.role == Role.OWNER, User.is_active)
    )
    if await session.scalar(owners.limit(1)) is None:
        raise LastOwnerError


async def set_active(session: AsyncSession, staff: Staff, user_id: UUID, *, is_active: bool) -> None:
    """Activate or deactivate a user; deactivating ends their sessions and tokens.

    Raises:
        MissingRoleError: the member of staff does not own all of the user's organizations.
        LastOwnerError: one of them would have no active owner.
    """
    if not await owns_all_of(session, staff, user_id):
        raise MissingRoleError(Role.OWNER)
    memberships = await visitors.memberships_of(session, user_id)
    organization_ids = [membership.organization_id for membership, _ in memberships]
    await _lock(session, organization_ids)
    user = await session.get_one(User, user_id, with_for_update=KEY_STAYS)
    before, user.is_active = user.is_active, is_active
    for organization_id in organization_ids:
        await keep_an_owner(session, organization_id)
    for membership, _ in memberships:
        await record(
            session,
            organization_id=membership.organization_id,
            action="user.changed",
            target="user",
            target_id=user.id,
            actor=await acting_for(session, staff, membership.organization_id),
            changes={"is_active": [before, is_active]},
        )


async def _lock(session: AsyncSession, organization_ids: Collection[UUID]) -> None:
    """Serialize changes of ownership, or two owners could remove each other at the same time."""
    locked = select(Organization.id).where(Organization.id.in_(organization_ids)).order_by(Organization.id)
    await session.execute(locked.with_for_update(key_share=True))
