"""Writes to the members of an organization, which always keeps an active owner. The caller commits."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from . import queries
from .contracts import Actor, Role
from .errors import LastOwnerError, MemberNotFoundError, NotAMemberError
from .models import Membership, Organization, User
from .permissions import require
from .services import record


async def change_role(session: AsyncSession, *, actor: Actor, member_id: UUID, role: Role) -> None:
    """Give a member another role.

    Raises:
        MissingRoleError: the actor is not an owner.
        MemberNotFoundError: the actor's organization has no such member.
        LastOwnerError: it would have no owner.
    """
    require(actor, Role.OWNER)
    member = await _lock_member(session, actor, member_id)
    await _require_owner(session, actor)
    if member.role == role:
        return
    before, member.role = member.role, role.value
    await keep_an_owner(session, actor.organization_id)
    await _record(session, actor, "membership.changed", member, {"role": [before, member.role]})


async def remove(session: AsyncSession, *, actor: Actor, member_id: UUID) -> None:
    """Remove a member, whose tokens and sessions for the organization end; anybody may leave.

    Raises:
        MissingRoleError: the actor is not an owner, and the member somebody else.
        MemberNotFoundError: the actor's organization has no such member.
        LastOwnerError: it would have no owner.
    """
    member = await _lock_member(session, actor, member_id)
    if member.user_id != actor.user_id:
        await _require_owner(session, actor)
    await session.execute(delete(Membership).where(Membership.id == member.id))
    await keep_an_owner(session, actor.organization_id)
    removed: dict[str, object] = {"user_id": str(member.user_id), "role": member.role}
    await _record(session, actor, "membership.removed", member, removed)


async def keep_an_owner(session: AsyncSession, organization_id: UUID) -> None:
    """Check, after a change in this transaction, that the organization still has an active owner.

    Raises:
        LastOwnerError: it has none.
    """
    await lock_organizations(session, [organization_id])
    owners = (
        select(Membership.id)
        .join(User, User.id == Membership.user_id)
        .where(Membership.organization_id == organization_id, Membership.role == Role.OWNER, User.is_active)
    )
    if await session.scalar(owners.limit(1)) is None:
        raise LastOwnerError


async def lock_organizations(session: AsyncSession, organization_ids: Collection[UUID]) -> None:
    """Serialize changes of ownership, or two owners could remove each other at the same time."""
    locked = select(Organization.id).where(Organization.id.in_(organization_ids)).order_by(Organization.id)
    # FOR NO KEY UPDATE: audit entries that refer to the row are not blocked, which could deadlock.
    await session.execute(locked.with_for_update(key_share=True))


async def _lock_member(session: AsyncSession, actor: Actor, member_id: UUID) -> Membership:
    """Lock a membership, then its organization: always in this order, which is that of the admin."""
    found = select(Membership).where(
        Membership.id == member_id, Membership.organization_id == actor.organization_id
    )
    member = await session.scalar(found.with_for_update())
    if member is None:
        raise MemberNotFoundError
    await lock_organizations(session, [actor.organization_id])
    return member


async def _require_owner(session: AsyncSession, actor: Actor) -> None:
    """Require that the actor still is an owner, once the organization is locked."""
    current = await queries.get_member_of(
        session, user_id=actor.user_id, organization_id=actor.organization_id
    )
    if current is None:
        raise NotAMemberError
    require(current.actor(), Role.OWNER)


async def _record(
    session: AsyncSession, actor: Actor, action: str, member: Membership, changes: dict[str, object]
) -> None:
    await record(
        session,
        organization_id=actor.organization_id,
        action=action,
        target="membership",
        target_id=member.id,
        actor=actor,
        changes=changes,
    )
