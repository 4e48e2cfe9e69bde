"""The members of an organization: who is one, and with which role. Each function is one transaction."""

from uuid import UUID

from django.db import transaction

from . import queries, services
from .contracts import Actor, Role
from .errors import LastOwnerError, MemberNotFoundError
from .models import Membership, Organization, User
from .roles import require


@transaction.atomic
def add(*, actor: Actor, user: User, role: Role) -> Membership:
    """Make a user a member of the actor's organization.

    Raises:
        Problem: 403, the actor is no owner.
        IntegrityError: the user is a member.
    """
    require(actor, Role.OWNER)
    membership = Membership.objects.create(user=user, organization_id=actor.organization_id, role=role.value)
    _record("membership.created", membership, actor)
    return membership


@transaction.atomic
def change_role(*, actor: Actor, membership_id: UUID, role: Role | None) -> Membership:
    """Give a member another role; None leaves it as it is.

    Raises:
        Problem: 403, the actor is no owner.
        MemberNotFoundError: the organization has no such member.
        LastOwnerError: nobody else is an active owner.
    """
    require(actor, Role.OWNER)
    membership = _locked(actor, membership_id)
    if role is not None and membership.role != role:
        if role is not Role.OWNER:
            _keep_an_owner(membership)
        membership.role = role.value
        membership.save(update_fields=["role"])
        _record("membership.changed", membership, actor)
    return membership


@transaction.atomic
def remove(*, actor: Actor, membership_id: UUID) -> None:
    """Remove a member, or leave the organization; the member's tokens for it end.

    Raises:
        Problem: 403, the actor is neither an owner nor the member.
        MemberNotFoundError: the organization has no such member.
        LastOwnerError: nobody else is an active owner.
    """
    membership = _locked(actor, membership_id)
    if membership.user_id != actor.user_id:
        require(actor, Role.OWNER)
    _keep_an_owner(membership)
    _record("membership.deleted", membership, actor)
    membership.delete()


def _locked(actor: Actor, membership_id: UUID) -> Membership:
    # Changes of an organization's members wait for each other: two owners may demote each other at once.
    Organization.objects.select_for_update().get(id=actor.organization_id)
    membership = queries.members(actor.organization_id).filter(id=membership_id).first()
    if membership is None:
        raise MemberNotFoundError
    return membership


def _keep_an_owner(membership: Membership) -> None:
    others = queries.members(membership.organization_id).exclude(id=membership.id)
    owned = others.filter(role=Role.OWNER.value, user__is_active=True).exists()
    if membership.role == Role.OWNER and not owned:
        raise LastOwnerError


def _record(action: str, membership: Membership, actor: Actor) -> None:
    services.record(
        organization_id=membership.organization_id,
        action=action,
        target="membership",
        target_id=membership.id,
        actor=actor,
        changes={"user": membership.user.email, "role": membership.role},
    )
