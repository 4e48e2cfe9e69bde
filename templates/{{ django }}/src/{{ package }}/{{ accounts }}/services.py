"""What is written to the database. Each function is one transaction, or a part of its caller's."""

from collections.abc import Collection, Mapping
from uuid import UUID

from django.contrib.auth.models import Permission
from django.db import transaction

from ..core.requests import current_request_id
from .contracts import Actor, Role
from .models import AuditEntry, Membership, Organization, User


def record(  # noqa: PLR0913 (one argument per column)
    *,
    organization_id: UUID,
    action: str,
    target: str,
    target_id: UUID,
    actor: Actor | None,
    changes: Mapping[str, object] | None,
) -> None:
    """Save one audit entry, in the caller's transaction.

    Args:
        organization_id: whose data was written.
        action: what happened, such as `invoice.voided`.
        target: the kind of thing that was written, such as `invoice`.
        target_id: which one.
        actor: who did it; none for the system itself.
        changes: the new values, as far as they may be shown to staff.
    """
    AuditEntry.objects.create(
        organization_id=organization_id,
        actor_id=actor.user_id if actor else None,
        action=action,
        target=target,
        target_id=target_id,
        changes=dict(changes or {}),
        request_id=current_request_id(),
    )


@transaction.atomic
def ensure_organization(
    *, name: str, owner_email: str, password: str | None, staff_permissions: Collection[str] = ()
) -> Actor:
    """The owner of an organization; both are made if they are not there yet.

    Args:
        name: the organization's name, by which it is found among those that the user owns.
        owner_email: signs in with it.
        password: for a new owner, who cannot sign in without one; the one of an existing user stays.
        staff_permissions: lets the owner use the admin with these, such as `billing.view_invoice`.

    Raises:
        Permission.DoesNotExist: there is no such permission.
    """
    user = User.objects.filter(email=User.normalize_username(owner_email)).first()
    if user is None:
        user = User.objects.create_user(owner_email, password)
    if staff_permissions:
        _make_staff(user, staff_permissions)
    ownership = {"user": user, "role": Role.OWNER.value}
    membership = Membership.objects.filter(**ownership, organization__name=name).first()
    if membership is None:
        organization = Organization.objects.create(name=name)
        membership = Membership.objects.create(**ownership, organization=organization)
        record(
            organization_id=organization.id,
            action="organization.created",
            target="organization",
            target_id=organization.id,
            actor=None,
            changes={"name": name, "owner": user.email},
        )
    return membership.actor()


def _make_staff(user: User, permissions: Collection[str]) -> None:
    user.is_staff = True
    user.save(update_fields=["is_staff"])
    for permission in permissions:
        app, _, codename = permission.partition(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
