"""Staff: users who may use the admin, for the organizations that they are members of."""

from uuid import UUID

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession

from ..core.admin import Staff
from ..core.errors import ApiError
from . import queries, visitors
from .contracts import Actor, Role
from .errors import MissingRoleError, NotAMemberError
from .members import keep_an_owner, lock_organizations
from .services import lock_user, record


class NotStaffError(ApiError):
    status = 403
    type = "urn:problem:not-staff"
    title = "Not staff"
    detail = "The admin is for staff only."


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
    await lock_organizations(session, organization_ids)
    user = await lock_user(session, user_id)
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
