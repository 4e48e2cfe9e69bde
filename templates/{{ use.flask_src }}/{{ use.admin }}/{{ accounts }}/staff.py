"""Staff: users to whom the admin is open, for the organizations that they are in."""

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

# Lets others' audit entries name the row: of two who change each other, each would wait for the other.
KEY_STAYS = {"key_share": True}


def find_staff() -> Staff | Response:
    """Who uses the admin, or what leads to the sign-in page if nobody is signed in.

    Raises:
        Problem: 403, who is signed in is not on the staff.
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
    """The member of staff as somebody who acts for the organization.

    Raises:
        Problem: 403, they are not in it, or no longer.
    """
    member = queries.member_of(user_id=staff.user_id, organization_id=organization_id)
    if member is None:
        raise not_a_member()
    return member.actor()


def owns_all_of(staff: Staff, user_id: UUID) -> bool:
    """Whether the member of staff owns every organization of the user, who signs in to all of them alike."""
    return {membership.organization_id for membership, _ in visitors.memberships_of(user_id)} <= staff.owned


def keep_an_owner(organization_id: UUID) -> None:
    """Refuse what has been done in this transaction, if it leaves nobody who could change the organization.

    Raises:
        Problem: 409, it does.
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
            "Nobody else who can sign in owns the organization; make another member its owner first.",
        )


def set_active(staff: Staff, user_id: UUID, *, is_active: bool) -> None:
    """Let a user sign in, or end what they have: sessions and tokens.

    Raises:
        Problem: 403 if the member of staff does not own all of the user's organizations, 409 if nobody else
            owns one of them.
    """
    if not owns_all_of(staff, user_id):
        raise Problem(HTTPStatus.FORBIDDEN, "This takes the role 'owner' in all of the user's organizations.")
    organization_ids = [membership.organization_id for membership, _ in visitors.memberships_of(user_id)]
    _lock(organization_ids)
    user = _locked_user(user_id)
    before, user.is_active = user.is_active, is_active
    for organization_id in organization_ids:
        keep_an_owner(organization_id)
    _record(user, {"is_active": [before, is_active]}, staff)


def set_staff(user_id: UUID, *, is_staff: bool) -> None:
    """Open the admin to a user, or close it."""
    user = _locked_user(user_id)
    before, user.is_staff = user.is_staff, is_staff
    _record(user, {"is_staff": [before, is_staff]}, None)


def _lock(organization_ids: Collection[UUID]) -> None:
    """Wait for others who change who owns these, or two owners could go at once who see each other stay."""
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
