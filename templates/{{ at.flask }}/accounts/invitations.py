"""Writes about invitations: an owner invites an address, and whoever has the token of the mail joins."""

import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID

from flask import current_app
from sqlalchemy import select

from ..core import mail
from ..core.background import after_commit
from ..core.inserts import insert_into
from ..core.settings import Settings
from ..extensions import db
from . import members, passwords, queries, services
from .contracts import Actor, Role, Scope
from .errors import AlreadyMemberError, InvitationNotFoundError
from .models import Invitation, Membership, Organization, User
from .permissions import require
from .services import Credentials, IssuedToken, record


def create(*, actor: Actor, email: str, role: Role) -> Invitation:
    """Invite an address by mail. An open invitation to it ends.

    Raises:
        Problem: 403, the actor is no owner.
        AlreadyMemberError: a member of the organization has this address.
    """
    require(actor, Role.OWNER)
    members.lock_organizations([actor.organization_id])
    user = queries.user_with(email)
    if user and queries.member_of(user_id=user.id, organization_id=actor.organization_id):
        raise AlreadyMemberError
    for replaced in db.session.scalars(queries.open_invitations(actor).where(Invitation.email == email)):
        replaced.revoked_at = datetime.now(UTC)
    invitation = Invitation(
        organization_id=actor.organization_id, email=email, role=role.value, invited_by_id=actor.user_id
    )
    _renew(actor, invitation)
    db.session.add(invitation)
    db.session.flush()
    _record("invitation.created", invitation, actor)
    return invitation


def resend(*, actor: Actor, invitation_id: UUID) -> None:
    """Send an open invitation again, with a new token; the old one ends.

    Raises:
        Problem: 403, the actor is no owner.
        InvitationNotFoundError: the organization has no such invitation, or it is not open.
    """
    invitation = _locked(actor, invitation_id)
    _renew(actor, invitation)
    _record("invitation.resent", invitation, actor)


def revoke(*, actor: Actor, invitation_id: UUID) -> None:
    """Revoke an open invitation.

    Raises:
        Problem: 403, the actor is no owner.
        InvitationNotFoundError: the organization has no such invitation, or it is not open.
    """
    invitation = _locked(actor, invitation_id)
    invitation.revoked_at = datetime.now(UTC)
    _record("invitation.revoked", invitation, actor)


def accept(*, token: str, password: str, name: str, client: str) -> IssuedToken:
    """Join the organization, as a new user with this password or as the user who has it, and sign in.

    Raises:
        InvitationNotFoundError: the token is unknown, expired, used or revoked.
        Problem: 401 if the user exists and has another password, 429 over the rate limit of sign-ins.
    """
    email = _valid(token).email
    user_id = None
    if queries.user_with(email) is None:
        # Hold no connection while the password is hashed.
        db.session.rollback()
        password_hash = passwords.hash_password(password)
    else:
        credentials = Credentials(email=email, password=password, client=client)
        user_id, password_hash = services.check_password(credentials)
    # Locked, so that only one of several requests accepts it.
    invitation = _valid(token, lock=True)
    user = services.lock_user(user_id or _add_user(email, password_hash, name))
    if user.password_hash != password_hash or not user.is_active:
        raise services.wrong_credentials()
    organization_id = invitation.organization_id
    joining = insert_into(Membership).values(
        user_id=user.id, organization_id=organization_id, role=invitation.role
    )
    db.session.execute(joining.on_conflict_do_nothing())
    member = queries.member_of(user_id=user.id, organization_id=organization_id)
    if member is None:
        raise services.not_a_member()
    invitation.accepted_at = datetime.now(UTC)
    _record("invitation.accepted", invitation, member.actor())
    return services.issue_token(
        member, frozenset(Scope), name=services.TOKEN_NAME, lifetime=services.TOKEN_LIFETIME
    )


def _valid(token: str, *, lock: bool = False) -> Invitation:
    valid = select(Invitation).where(
        Invitation.token_hash == queries.digest(token),
        Invitation.accepted_at.is_(None),
        Invitation.revoked_at.is_(None),
        Invitation.expires_at > datetime.now(UTC),
    )
    invitation = db.session.scalar(valid.with_for_update() if lock else valid)
    if invitation is None:
        raise InvitationNotFoundError
    return invitation


def _locked(actor: Actor, invitation_id: UUID) -> Invitation:
    require(actor, Role.OWNER)
    found = queries.open_invitations(actor).where(Invitation.id == invitation_id)
    invitation = db.session.scalar(found.with_for_update())
    if invitation is None:
        raise InvitationNotFoundError
    return invitation


def _renew(actor: Actor, invitation: Invitation) -> None:
    """Give an invitation a new token, and mail it after the commit."""
    settings: Settings = current_app.config["SETTINGS"]
    token = secrets.token_urlsafe(32)
    invitation.token_hash = queries.digest(token)
    invitation.expires_at = datetime.now(UTC) + timedelta(days=settings.invitation_days)
    after_commit(
        mail.send,
        settings,
        invitation.email,
        "accounts/mail/invitation",
        organization=db.session.get_one(Organization, actor.organization_id).name,
        invited_by=actor.email,
        role=invitation.role,
        days=settings.invitation_days,
        link=f"{settings.public_url}/accept-invitation?token={token}",
        token=token,
    )


def _add_user(email: str, password_hash: str, name: str) -> UUID:
    adding = insert_into(User).values(email=email, password_hash=password_hash, name=name)
    added: UUID | None = db.session.scalar(adding.on_conflict_do_nothing().returning(User.id))
    if added is None:
        # Another invitation was accepted meanwhile: the password must be that of the new user.
        raise services.wrong_credentials()
    return added


def _record(action: str, invitation: Invitation, actor: Actor) -> None:
    record(
        organization_id=invitation.organization_id,
        action=action,
        target="invitation",
        target_id=invitation.id,
        actor=actor,
        changes={"email": invitation.email, "role": invitation.role},
    )
