"""Writes to invitations: an owner invites an address, and who has the token of the mail joins."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from ..core.database import Sessions
from ..core.inserts import insert_into
from ..core.settings import Settings
from . import members, passwords, queries, services
from .contracts import Actor, Role
from .errors import AlreadyMemberError, InvitationNotFoundError, WrongCredentialsError
from .models import Invitation, Membership, User
from .permissions import DEFAULT_SCOPES, require
from .services import Credentials, Grant, record


async def create(
    session: AsyncSession, settings: Settings, *, actor: Actor, email: str, role: Role
) -> tuple[Invitation, str]:
    """Invite an address, and return the invitation with its token. An open one to the same address ends.

    Raises:
        MissingRoleError: the actor is not an owner.
        AlreadyMemberError: a member of the organization has this address.
    """
    require(actor, Role.OWNER)
    await members.lock_organizations(session, [actor.organization_id])
    user = await queries.get_user_by_email(session, email)
    if user and await queries.get_member_of(session, user_id=user.id, organization_id=actor.organization_id):
        raise AlreadyMemberError
    replaced = queries.open_invitations(actor.organization_id).where(Invitation.email == email)
    for invitation in await session.scalars(replaced):
        invitation.revoked_at = datetime.now(UTC)
    invitation = Invitation(
        organization_id=actor.organization_id, email=email, role=role.value, invited_by_id=actor.user_id
    )
    token = _renew(settings, invitation)
    session.add(invitation)
    await session.flush()
    await _record(session, actor, "invitation.created", invitation)
    return invitation, token


async def resend(
    session: AsyncSession, settings: Settings, *, actor: Actor, invitation_id: UUID
) -> tuple[Invitation, str]:
    """Renew an open invitation, and return it with its new token; the old one ends.

    Raises:
        MissingRoleError: the actor is not an owner.
        InvitationNotFoundError: the actor's organization has no such invitation, or it is not open.
    """
    invitation = await _lock(session, actor, invitation_id)
    token = _renew(settings, invitation)
    await _record(session, actor, "invitation.resent", invitation)
    return invitation, token


async def revoke(session: AsyncSession, *, actor: Actor, invitation_id: UUID) -> None:
    """Revoke an open invitation.

    Raises:
        MissingRoleError: the actor is not an owner.
        InvitationNotFoundError: the actor's organization has no such invitation, or it is not open.
    """
    invitation = await _lock(session, actor, invitation_id)
    invitation.revoked_at = datetime.now(UTC)
    await _record(session, actor, "invitation.revoked", invitation)


async def accept(  # noqa: PLR0913 (one argument per value)
    sessions: Sessions, settings: Settings, *, token: str, password: str, name: str, client: str
) -> Grant:
    """Join the organization, as a new user with this password or as the user who has it, and sign in.

    Raises:
        InvitationNotFoundError: the token is unknown, expired, used or revoked.
        WrongCredentialsError: the user exists, and has another password or is inactive.
        TooManyAttemptsError: rate limited.
    """
    async with sessions() as session:
        email = (await _find(session, token)).email
        known = await queries.get_user_by_email(session, email)
    credentials = Credentials(
        email=email, password=password, client=client, organization_id=None, scopes=DEFAULT_SCOPES
    )
    if known is None:
        password_hash = await passwords.hash_password(password)
    else:
        known = await services.check_password(sessions, settings, credentials)
        password_hash = known.password_hash
    async with sessions.begin() as session:
        # Locked, so that only one of several requests accepts it.
        invitation = await _find(session, token, lock=True)
        if known is None:
            user_id = await _add_user(session, email, password_hash, name)
        else:
            user_id = known.id
        await _add_membership(session, invitation, user_id)
        member = await queries.get_member_of(
            session, user_id=user_id, organization_id=invitation.organization_id
        )
        if member is None or not member.is_active or member.password_hash != password_hash:
            raise WrongCredentialsError
        if known is not None:
            await services.reset_failures(session, credentials)
        invitation.accepted_at = datetime.now(UTC)
        await _record(session, member.actor(), "invitation.accepted", invitation)
        return await services.grant_for(session, settings, member, credentials.scopes, family_id=uuid4())


async def _find(session: AsyncSession, token: str, *, lock: bool = False) -> Invitation:
    valid = select(Invitation).where(
        Invitation.token_hash == services.digest(token),
        Invitation.accepted_at.is_(None),
        Invitation.revoked_at.is_(None),
        Invitation.expires_at > datetime.now(UTC),
    )
    invitation = await session.scalar(valid.with_for_update() if lock else valid)
    if invitation is None:
        raise InvitationNotFoundError
    return invitation


async def _lock(session: AsyncSession, actor: Actor, invitation_id: UUID) -> Invitation:
    require(actor, Role.OWNER)
    found = queries.open_invitations(actor.organization_id).where(Invitation.id == invitation_id)
    invitation = await session.scalar(found.with_for_update())
    if invitation is None:
        raise InvitationNotFoundError
    return invitation


def _renew(settings: Settings, invitation: Invitation) -> str:
    token = services.new_token()
    invitation.token_hash = services.digest(token)
    invitation.expires_at = datetime.now(UTC) + timedelta(days=settings.invitation_days)
    return token


async def _add_user(session: AsyncSession, email: str, password_hash: str, name: str) -> UUID:
    adding = insert_into(session, User).values(email=email, password_hash=password_hash, name=name)
    added: UUID | None = await session.scalar(adding.on_conflict_do_nothing().returning(User.id))
    if added is None:
        # Another invitation was accepted meanwhile: the password must be that of the new user.
        raise WrongCredentialsError
    return added


async def _add_membership(session: AsyncSession, invitation: Invitation, user_id: UUID) -> None:
    adding = insert_into(session, Membership).values(
        user_id=user_id, organization_id=invitation.organization_id, role=invitation.role
    )
    await session.execute(adding.on_conflict_do_nothing())


async def _record(session: AsyncSession, actor: Actor, action: str, invitation: Invitation) -> None:
    await record(
        session,
        organization_id=invitation.organization_id,
        action=action,
        target="invitation",
        target_id=invitation.id,
        actor=actor,
        changes={"email": invitation.email, "role": invitation.role},
    )
