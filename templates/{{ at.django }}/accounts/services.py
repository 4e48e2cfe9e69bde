"""Writes to the database. Each function is one transaction, or part of its caller's."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from uuid import UUID

from django.contrib.auth.models import Permission
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from ..core.request_id import current_request_id
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
    """Save an audit entry in the caller's transaction.

    Args:
        organization_id: the tenant whose data was written.
        action: what happened, such as `invoice.voided`.
        target: the kind of object, such as `invoice`.
        target_id: the id of the object.
        actor: who did it; None for the system.
        changes: the new values, as far as staff may see them.
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
    """Return the owner of an organization and create both if they do not exist.

    Args:
        name: the organization's name, unique among those that the user owns.
        owner_email: the owner's e-mail address.
        password: for a new owner; None creates one who cannot sign in.
        staff_permissions: permissions in the admin, such as `billing.view_invoice`.

    Raises:
        Permission.DoesNotExist: a permission does not exist.
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


@transaction.atomic
def sign_up(*, email: str, password: str, organization: str) -> User:
    """Create a user who owns a new organization.

    Raises:
        ValidationError: another user has this address.
    """
    with _unless_taken():
        user = User.objects.create_user(email, password)
    founded = Organization.objects.create(name=organization)
    membership = Membership.objects.create(user=user, organization=founded, role=Role.OWNER.value)
    record(
        organization_id=founded.id,
        action="organization.created",
        target="organization",
        target_id=founded.id,
        actor=membership.actor(),
        changes={"name": organization, "owner": user.email},
    )
    return user


@transaction.atomic
def change_email(*, user: User, email: str) -> None:
    """Change the address that the user signs in with.

    Raises:
        ValidationError: another user has it.
    """
    before, after = user.email, User.normalize_username(email)
    with _unless_taken():
        User.objects.filter(id=user.id).update(email=after)
    user.email = after
    _record_user(user, {"email": [before, after]})


@transaction.atomic
def change_name(*, user: User, name: str) -> None:
    """Change the name that other members see."""
    before, user.name = user.name, name
    user.save(update_fields=["name"])
    _record_user(user, {"name": [before, name]})


def check_password(user: User, password: str, *, field: str = "new_password") -> None:
    """Check a new password with the project's validators.

    Raises:
        ValidationError: it is too weak; `field` has the message.
    """
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({field: " ".join(error.messages)}) from error


@transaction.atomic
def change_password(*, user: User, password: str) -> None:
    """Change the password; sessions and tokens end."""
    user.set_password(password)
    user.save(update_fields=["password"])
    _record_user(user, {"fields": ["password"]})


@transaction.atomic
def sign_out_everywhere(*, user: User) -> None:
    """End all sessions and tokens of the user."""
    user.signed_out_at = timezone.now()
    user.save(update_fields=["signed_out_at"])
    _record_user(user, {"fields": ["signed_out_at"]})


@contextmanager
def _unless_taken() -> Iterator[None]:
    try:
        # The constraint rejects one of two concurrent requests.
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise ValidationError({"email": _("Another user has this address.")}) from error


def _record_user(user: User, changes: Mapping[str, object]) -> None:
    for membership in user.memberships.select_related("user"):
        record(
            organization_id=membership.organization_id,
            action="user.changed",
            target="user",
            target_id=user.id,
            actor=membership.actor(),
            changes=changes,
        )


def _make_staff(user: User, permissions: Collection[str]) -> None:
    user.is_staff = True
    user.save(update_fields=["is_staff"])
    for permission in permissions:
        app, _, codename = permission.partition(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
