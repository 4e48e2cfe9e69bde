"""Staff: users who may use the admin, for the organizations that they are members of."""

from collections.abc import Collection
from http import HTTPStatus
from uuid import UUID

from flask import Response
from sqlalchemy import select

from ..core.admin import Staff
from ..core.problems import Problem
from ..extensions import db
from . import queries, visitors
from .contracts import Actor, Role
from .models import Membership, Organization, User
from .services import not_a_member, record

# A weaker lock that allows foreign keys to the row; otherwise two staff who change each other deadlock.
KEY_STAYS = {"key_share": True}


def find_staff() -> Staff | Response:
    """Return the member of staff who sent the request, or a redirect to the sign-in page.

    Raises:
        Problem: 403, the user is not on the staff.
    """
    elsewhere = visitors.authenticate()
    if elsewhere is not None:
        return elsewhere
    visitor = visitors.current_visitor()
    if not visitor.is_staff:
        raise Problem(HTTPStatus.FORBIDDEN, "The admin is for staff only.")
    memberships = visitors.memberships_of(visitor.actor.user_id)
    return Staff(
        user_id=visitor.actor.user_id,
        email=visitor.actor.email,
        organizations={membership.organization_id: name for membership, name in memberships},
        owned=frozenset(
            membership.organization_id for membership, _ in memberships if membership.role == Role.OWNER
        ),
    )


def acting_for(staff: Staff, organization_id: UUID) -> Actor:
    """Return the member of staff as an actor of the organization.

    Raises:
        Problem: 403, they are not a member of it.
    """
    member = queries.member_of(user_id=staff.user_id, organization_id=organization_id)
    if member is None:
        raise not_a_member()
    return member.actor()


def owns_all_of(staff: Staff, user_id: UUID) -> bool:
    """Return whether the member of staff owns every organization of the user."""
    return {membership.organization_id for membership, _ in visitors.memberships_of(user_id)} <= staff.owned


def keep_an_owner(organization_id: UUID) -> None:
    """Require that the organization still has an active owner. Call it after the change.

    Raises:
        Problem: 409, it has none.
    """
    _lock([organization_id])
    owners = (
        select(Membership)
        .join(Membership.user)
        .where(Membership.organization_id == organization_id, Membership.role == Role.OWNER, User.is_active)
    )
    if db.session.scalar(owners.limit(1)) is None:
        raise Problem(
            HTTPStatus.CONFLICT,
            "The organization has no other active owner; make another member its owner first.",
        )


def set_active(staff: Staff, user_id: UUID, *, is_active: bool) -> None:
    """Activate a user, or deactivate the user, which ends all sessions and tokens.

    Raises:
        Problem: 403 if the member of staff does not own all of the user's organizations, 409 if one of them
            has no other owner.
    """
    if not owns_all_of(staff, user_id):
        raise Problem(HTTPStatus.FORBIDDEN, "This needs the role 'owner' in all of the user's organizations.")
    organization_ids = [membership.organization_id for membership, _ in visitors.memberships_of(user_id)]
    _lock(organization_ids)
    user = _locked_user(user_id)
    before, user.is_active = user.is_active, is_active
    for organization_id in organization_ids:
        keep_an_owner(organization_id)
    _record(user, {"is_active": [before, is_active]}, staff)


def set_staff(user_id: UUID, *, is_staff: bool) -> None:
    """Add a user to the staff, or remove the user."""
    user = _locked_user(user_id)
    before, user.is_staff = user.is_staff, is_staff
    _record(user, {"is_staff": [before, is_staff]}, None)


def _lock(organization_ids: Collection[UUID]) -> None:
    """Lock the organizations, so that two owners cannot be removed at the same time."""
    locked = select(Organization.id).where(Organization.id.in_(organization_ids)).order_by(Organization.id)
    db.session.execute(locked.with_for_update(key_share=True))


def _locked_user(user_id: UUID) -> User:
    return db.session.get_one(User, user_id, with_for_update=KEY_STAYS, populate_existing=True)


def _record(user: User, changes: dict[str, object], staff: Staff | None) -> None:
    for membership, _ in visitors.memberships_of(user.id):
        record(
            organization_id=membership.organization_id,
            action="user.changed",
            target="user",
            target_id=user.id,
            actor=acting_for(staff, membership.organization_id) if staff else None,
            changes=changes,
        )
