"""Writes about the members of an organization, which always has an owner."""

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import select

from ..extensions import db
from . import queries
from .contracts import Actor, Role
from .errors import LastOwnerError, MemberNotFoundError
from .models import Membership, Organization, User
from .permissions import require
from .queries import Member
from .services import acting_for, record


def change_role(*, actor: Actor, member_id: UUID, role: Role) -> Member:
    """Give a member of the actor's organization another role.

    Raises:
        Problem: 403, the actor is no owner.
        MemberNotFoundError: the organization has no such member.
        LastOwnerError: the member is its only owner.
    """
    require(actor, Role.OWNER)
    member = _locked_member(actor, member_id)
    _require_owner(actor)
    before, member.membership.role = member.membership.role, role.value
    if before != role:
        role_changed(member.membership, {"role": [before, role.value]}, actor=actor)
    return member


def role_changed(membership: Membership, changes: Mapping[str, object], *, actor: Actor) -> None:
    """Complete the change of a membership: the organization still has an owner, and the audit trail an entry.

    Raises:
        LastOwnerError: it has no owner any more.
    """
    keep_an_owner(membership.organization_id)
    _record("membership.changed", membership, changes, actor)


def remove(*, actor: Actor, member_id: UUID) -> None:
    """Remove a member, or let the actor leave. It ends the member's tokens and sessions there.

    Raises:
        Problem: 403, the member is somebody else and the actor is no owner.
        MemberNotFoundError: the organization has no such member.
        LastOwnerError: the member is its only owner.
    """
    member = _locked_member(actor, member_id)
    if member.user.id != actor.user_id:
        _require_owner(actor)
    # The tokens and sessions of a membership are deleted with it.
    db.session.delete(member.membership)
    db.session.flush()
    keep_an_owner(actor.organization_id)
    changes = {"email": member.user.email, "role": member.membership.role}
    _record("membership.removed", member.membership, changes, actor)


def keep_an_owner(organization_id: UUID) -> None:
    """Require that the organization still has an active owner. Call it after the change.

    Raises:
        LastOwnerError: it has none.
    """
    lock_organizations([organization_id])
    owners = (
        select(Membership)
        .join(Membership.user)
        .where(Membership.organization_id == organization_id, Membership.role == Role.OWNER, User.is_active)
    )
    if db.session.scalar(owners.limit(1)) is None:
        raise LastOwnerError


def lock_organizations(organization_ids: Collection[UUID]) -> None:
    """Lock the organizations, so that two owners cannot remove each other at the same time."""
    locked = select(Organization.id).where(Organization.id.in_(organization_ids)).order_by(Organization.id)
    db.session.execute(locked.with_for_update(key_share=True))


def _locked_member(actor: Actor, member_id: UUID) -> Member:
    """Return a member with its row locked; the row first and then the organization, as the admin does."""
    members = queries.members_of(actor.organization_id).where(Membership.id == member_id)
    locked = members.with_for_update(of=Membership, key_share=True)
    row = db.session.execute(locked, execution_options={"populate_existing": True}).first()
    if row is None:
        raise MemberNotFoundError
    lock_organizations([actor.organization_id])
    return Member(*row)


def _require_owner(actor: Actor) -> None:
    """Require that the actor still is an owner, once the organization is locked."""
    require(acting_for(actor.user_id, actor.organization_id), Role.OWNER)


def _record(action: str, membership: Membership, changes: Mapping[str, object], actor: Actor) -> None:
    record(
        organization_id=membership.organization_id,
        action=action,
        target="membership",
        target_id=membership.id,
        actor=actor,
        changes=changes,
    )
