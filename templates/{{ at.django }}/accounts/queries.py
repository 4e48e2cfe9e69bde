"""Reads from the database."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import QuerySet

from .contracts import Actor, Role
from .models import Invitation, Membership, Organization, User


def membership(membership_id: UUID) -> Membership | None:
    """Return the membership with this id and its user, in one query; None if there is none."""
    try:
        return Membership.objects.select_related("user").get(id=membership_id)
    except Membership.DoesNotExist:
        return None


def membership_of(user_id: UUID, organization_id: UUID | None = None) -> Membership | None:
    """Return the user's membership in the organization, or the oldest one; None if there is none."""
    memberships = Membership.objects.select_related("user").filter(user_id=user_id)
    if organization_id is not None:
        memberships = memberships.filter(organization_id=organization_id)
    return memberships.order_by("created_at", "id").first()


def memberships_of(user_id: UUID) -> list[Membership]:
    """Return the user's memberships with their organizations, the oldest first."""
    memberships = Membership.objects.select_related("organization", "user").filter(user_id=user_id)
    return list(memberships.order_by("created_at", "id"))


def members(organization_id: UUID) -> QuerySet[Membership]:
    """Return the memberships of the organization with their users."""
    return Membership.objects.select_related("user").filter(organization_id=organization_id)


def organization(organization_id: UUID) -> Organization:
    """Return the organization with this id."""
    return Organization.objects.get(id=organization_id)


def user_by_email(email: str) -> User | None:
    """Return the user with this address, in any case."""
    return User.objects.filter(email=User.normalize_username(email)).first()


def open_invitations(actor: Actor) -> QuerySet[Invitation]:
    """Return the invitations that are neither accepted nor revoked, oldest first."""
    invitations = Invitation.objects.for_actor(actor).filter(accepted_at=None, revoked_at=None)
    return invitations.order_by("created_at", "id")


def users_in(organization_ids: Collection[UUID]) -> QuerySet[User]:
    """Return the members of the organizations, each once."""
    memberships = Membership.objects.filter(organization_id__in=organization_ids)
    return User.objects.filter(id__in=memberships.values("user_id"))


def roles_of(user_id: UUID) -> dict[UUID, Role]:
    """Return the user's role in each of their organizations."""
    pairs = Membership.objects.filter(user_id=user_id).values_list("organization_id", "role")
    return {organization_id: Role(role) for organization_id, role in pairs}


def organizations_of(user_id: UUID) -> list[UUID]:
    """Return the ids of the user's organizations."""
    return list(roles_of(user_id))


def acting_for(user_id: UUID, organization_id: UUID) -> Actor | None:
    """Return the user as an actor for the organization; None if they are not a member.

    A superuser is an owner everywhere.
    """
    user = User.objects.filter(id=user_id, is_active=True).first()
    if user is None:
        return None
    if user.is_superuser:
        return Actor(user_id=user.id, organization_id=organization_id, role=Role.OWNER, email=user.email)
    role = roles_of(user_id).get(organization_id)
    if role is None:
        return None
    return Actor(user_id=user.id, organization_id=organization_id, role=role, email=user.email)
