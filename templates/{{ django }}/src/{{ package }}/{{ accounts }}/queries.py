"""What is read from the database."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import QuerySet

from .contracts import Actor, Role
from .models import Membership, User


def membership(membership_id: UUID) -> Membership | None:
    """The one with this id, with its user; none if there is none."""
    return Membership.objects.select_related("user").filter(id=membership_id).first()


def membership_of(user_id: UUID, organization_id: UUID | None = None) -> Membership | None:
    """The user's membership in this organization, by default the oldest one; none if there is none."""
    memberships = Membership.objects.select_related("user").filter(user_id=user_id)
    if organization_id is not None:
        memberships = memberships.filter(organization_id=organization_id)
    return memberships.order_by("created_at", "id").first()


def users_in(organization_ids: Collection[UUID]) -> QuerySet[User]:
    """The members of these organizations, each once."""
    memberships = Membership.objects.filter(organization_id__in=organization_ids)
    return User.objects.filter(id__in=memberships.values("user_id"))


def roles_of(user_id: UUID) -> dict[UUID, Role]:
    """The user's role in each organization of which they are a member."""
    pairs = Membership.objects.filter(user_id=user_id).values_list("organization_id", "role")
    return {organization_id: Role(role) for organization_id, role in pairs}


def organizations_of(user_id: UUID) -> list[UUID]:
    """The organizations of which the user is a member, with any role."""
    return list(roles_of(user_id))


def acting_for(user_id: UUID, organization_id: UUID) -> Actor | None:
    """The user as somebody who acts for this organization; none for who may not.

    A superuser acts as an owner everywhere, anybody else as what their membership says.
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
