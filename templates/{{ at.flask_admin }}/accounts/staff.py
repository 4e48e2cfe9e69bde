"""Staff: users who may use the admin, for the organizations that they are members of."""

from http import HTTPStatus
from uuid import UUID

from flask import Response

from ..core.admin import Staff
from ..core.problems import Problem
from . import queries, visitors
from .contracts import Role
from .members import keep_an_owner, lock_organizations
from .services import acting_for, lock_user, record_user


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
    memberships = queries.memberships_of(visitor.actor.user_id)
    return Staff(
        user_id=visitor.actor.user_id,
        email=visitor.actor.email,
        organizations={membership.organization_id: name for membership, name in memberships},
        owned=frozenset(
            membership.organization_id for membership, _ in memberships if membership.role == Role.OWNER
        ),
    )


def owns_all_of(staff: Staff, user_id: UUID) -> bool:
    """Return whether the member of staff owns every organization of the user."""
    return {membership.organization_id for membership, _ in queries.memberships_of(user_id)} <= staff.owned


def set_active(staff: Staff, user_id: UUID, *, is_active: bool) -> None:
    """Activate a user, or deactivate the user, which ends all sessions and tokens.

    Raises:
        Problem: 403 if the member of staff does not own all of the user's organizations, 409 if one of them
            has no other owner.
    """
    if not owns_all_of(staff, user_id):
        raise Problem(HTTPStatus.FORBIDDEN, "This needs the role 'owner' in all of the user's organizations.")
    organization_ids = [membership.organization_id for membership, _ in queries.memberships_of(user_id)]
    lock_organizations(organization_ids)
    user = lock_user(user_id)
    before, user.is_active = user.is_active, is_active
    for organization_id in organization_ids:
        keep_an_owner(organization_id)
        actor = acting_for(staff.user_id, organization_id)
        record_user(user, organization_id, {"is_active": [before, is_active]}, actor=actor)
