"""Invitations: an owner invites an address, and who has the token of the mail joins.

Each write is one transaction.
"""

import hashlib
import secrets
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from ..core import mail
from ..core.settings import get_settings
from . import queries, services, throttling
from .contracts import Actor, Role
from .errors import AlreadyMemberError, InvalidCredentialsError, InvitationNotFoundError
from .models import Invitation, Membership, Organization, User
from .roles import require


@transaction.atomic
def create(*, actor: Actor, email: str, role: Role) -> Invitation:
    """Invite an address by mail. An open invitation to the same address ends.

    Raises:
        Problem: 403, the actor is no owner.
        AlreadyMemberError: a member of the organization has this address.
    """
    require(actor, Role.OWNER)
    email = User.normalize_username(email)
    # Invitations to an organization wait for each other: one address may be invited twice at once.
    Organization.objects.select_for_update().get(id=actor.organization_id)
    if queries.members(actor.organization_id).filter(user__email=email).exists():
        raise AlreadyMemberError
    queries.open_invitations(actor).filter(email=email).update(revoked_at=timezone.now())
    invitation = Invitation(
        organization_id=actor.organization_id, email=email, role=role.value, invited_by_id=actor.user_id
    )
    _send(invitation, actor)
    _record("invitation.created", invitation, actor)
    return invitation


@transaction.atomic
def resend(*, actor: Actor, invitation_id: UUID) -> None:
    """Send an open invitation again, with a new token and expiry; the old token ends.

    Raises:
        Problem: 403, the actor is no owner.
        InvitationNotFoundError: the organization has no such invitation, or it is not open.
    """
    invitation = _locked(actor, invitation_id)
    _send(invitation, actor)
    _record("invitation.resent", invitation, actor)


@transaction.atomic
def revoke(*, actor: Actor, invitation_id: UUID) -> None:
    """Revoke an open invitation.

    Raises:
        Problem: 403, the actor is no owner.
        InvitationNotFoundError: the organization has no such invitation, or it is not open.
    """
    invitation = _locked(actor, invitation_id)
    invitation.revoked_at = timezone.now()
    invitation.save(update_fields=["revoked_at"])
    _record("invitation.revoked", invitation, actor)


def find(token: str) -> Invitation:
    """Return the invitation with this token, and its organization.

    Raises:
        InvitationNotFoundError: the token is unknown, expired, used or revoked.
    """
    invitation = _valid(token).select_related("organization").first()
    if invitation is None:
        raise InvitationNotFoundError
    return invitation


def accept(request: HttpRequest, *, token: str, password: str, name: str = "") -> Membership:
    """Join the organization, as a new user with this password or as the user who has it.

    Raises:
        InvitationNotFoundError: the token is unknown, expired, used or revoked.
        InvalidCredentialsError: the user exists, and has another password or is inactive.
        ValidationError: the password of a new user is too weak.
        Problem: 429, there were too many failures.
    """
    email = find(token).email
    user = queries.user_by_email(email)
    # No lock is held while the password is hashed.
    if user is None:
        user = User(email=email, name=name)
        services.check_password(user, password, field="password")
        user.set_password(password)
    else:
        user = throttling.sign_in(request, email, password)
        if user is None:
            raise InvalidCredentialsError
    return _join(token, user)


@transaction.atomic
def _join(token: str, user: User) -> Membership:
    # Locked, so that only one of several requests accepts it.
    invitation = _valid(token).select_for_update().first()
    if invitation is None:
        raise InvitationNotFoundError
    if user._state.adding:  # noqa: SLF001 (a public API)
        _add(user)
    elif not User.objects.filter(id=user.id, is_active=True, password=user.password).exists():
        raise InvalidCredentialsError
    membership, _created = Membership.objects.get_or_create(
        user=user, organization_id=invitation.organization_id, defaults={"role": invitation.role}
    )
    invitation.accepted_at = timezone.now()
    invitation.save(update_fields=["accepted_at"])
    _record("invitation.accepted", invitation, membership.actor())
    return membership


def _add(user: User) -> None:
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:
        # Another invitation was accepted meanwhile: the password must be that of the new user.
        raise InvalidCredentialsError from error


def _valid(token: str) -> QuerySet[Invitation]:
    return Invitation.objects.filter(
        token_hash=_digest(token), accepted_at=None, revoked_at=None, expires_at__gt=timezone.now()
    )


def _locked(actor: Actor, invitation_id: UUID) -> Invitation:
    require(actor, Role.OWNER)
    invitation = queries.open_invitations(actor).select_for_update().filter(id=invitation_id).first()
    if invitation is None:
        raise InvitationNotFoundError
    return invitation


def _send(invitation: Invitation, actor: Actor) -> None:
    """Save the invitation with a new token, and mail that."""
    env, token = get_settings(), secrets.token_urlsafe(32)
    invitation.token_hash = _digest(token)
    invitation.expires_at = timezone.now() + timedelta(days=env.invitation_days)
    invitation.save()
    message = partial(
        mail.compose,
        invitation.email,
        "accounts/mail/invitation",
        organization=invitation.organization.name,
        invited_by=actor.email,
        role=invitation.role,
        days=env.invitation_days,
        link=f"{env.public_url}/accept-invitation?token={token}",
        token=token,
    )
    mail.send_later(message)


def _digest(token: str) -> str:
    # The token is random and long; unlike a password it needs no slow hash.
    return hashlib.sha256(token.encode()).hexdigest()


def _record(action: str, invitation: Invitation, actor: Actor) -> None:
    services.record(
        organization_id=invitation.organization_id,
        action=action,
        target="invitation",
        target_id=invitation.id,
        actor=actor,
        changes={"email": invitation.email, "role": invitation.role},
    )
