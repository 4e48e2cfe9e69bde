"""What is written to the database. Services flush; who calls them commits."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import structlog
from pydantic import SecretStr
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from ..core.database import transaction
from ..core.inserts import insert_into
from ..core.requests import current_request_id
from . import passwords, queries, tokens
from .contracts import Actor, Role, Scope
from .errors import LOCK_SECONDS, NotAMemberError, TooManyAttemptsError, WrongCredentialsError
from .models import AuditEntry, Membership, Organization, RefreshToken, SignInAttempts, User
from .permissions import scopes_of
from .queries import Member, normalized

MAX_ATTEMPTS = 10
LOCK = timedelta(seconds=LOCK_SECONDS)
REFRESH_LIFETIME = timedelta(days=30)

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Granted:
    """What a client gets for a password or a refresh token."""

    access_token: str
    refresh_token: str
    scope: str
    expires_in: int = int(tokens.LIFETIME.total_seconds())


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What somebody signs in with; `client` is the address from which they do."""

    email: str
    password: str
    client: str
    organization_id: UUID | None
    scopes: frozenset[Scope]

    @property
    def attempts_key(self) -> str:
        """What failures are counted by; it tells nobody who it was."""
        return hashlib.sha256(f"{normalized(self.email)}\n{self.client}".encode()).hexdigest()


async def check_password(
    sessions: async_sessionmaker[AsyncSession], *, secret_key: SecretStr, credentials: Credentials
) -> UUID:
    """The id of the user whose password this is.

    An attempt counts as failed until it has succeeded, so that many at once are no way around the limit. No
    connection to the database is held while the password is looked at.

    Raises:
        WrongCredentialsError: there is no such user, or the password is another one.
        TooManyAttemptsError: there were too many failures in a row.
    """
    async with transaction(sessions) as session:
        attempts = await _count_attempt(session, credentials.attempts_key)
        user = await queries.user_with(session, credentials.email)
    password_hash = None if user is None else user.password_hash
    right = await passwords.matches(password_hash, credentials.password)
    if user is None or not right or not user.is_active:
        if attempts >= MAX_ATTEMPTS:
            raise TooManyAttemptsError
        raise WrongCredentialsError
    if passwords.outdated(user.password_hash):
        better = await passwords.hashed(credentials.password)
        async with transaction(sessions) as session:
            await _replace_hash(session, secret_key, user, better)
    return user.id


async def admit(session: AsyncSession, *, user_id: UUID, credentials: Credentials) -> Member | None:
    """The member for whom these credentials are good, whose failures are forgotten; none if there is none."""
    await session.execute(delete(SignInAttempts).where(SignInAttempts.key == credentials.attempts_key))
    return await queries.member_of(session, user_id=user_id, organization_id=credentials.organization_id)


async def sign_in(
    sessions: async_sessionmaker[AsyncSession], *, secret_key: SecretStr, credentials: Credentials
) -> Granted:
    """Tokens for a password.

    Raises:
        WrongCredentialsError: there is no such user, or the password is another one.
        TooManyAttemptsError: there were too many failures in a row.
        NotAMemberError: the user is not in the organization, or in none.
    """
    user_id = await check_password(sessions, secret_key=secret_key, credentials=credentials)
    async with transaction(sessions) as session:
        member = await admit(session, user_id=user_id, credentials=credentials)
        granted = member and await _grant(session, secret_key, member, credentials.scopes, family_id=uuid4())
    if granted is None:
        raise NotAMemberError
    return granted


async def refresh(session: AsyncSession, *, secret_key: SecretStr, token: str) -> Granted | None:
    """New tokens for a refresh token, which is then used up; none if it is not good, or no longer.

    One that was used up before ends its whole family: either this client or the one before was a thief.
    """
    now = datetime.now(UTC)
    known = await _locked_token(session, token)
    if known is None or known.expires_at <= now:
        return None
    if known.rotated_at is not None:
        await _end_family(session, known)
        logger.warning("refresh_token_reused", membership_id=str(known.membership_id))
        return None
    member = await queries.member(session, known.membership_id)
    if (
        member is None
        or not member.user.is_active
        or known.fingerprint != tokens.fingerprint(secret_key, member.user.password_hash)
    ):
        return None
    known.rotated_at = now
    return await _grant(session, secret_key, member, tokens.scopes_in(known.scope), family_id=known.family_id)


async def revoke(session: AsyncSession, *, token: str) -> bool:
    """End a refresh token and all others of its family; whether there was such a one."""
    known = await _locked_token(session, token)
    if known is not None:
        await _end_family(session, known)
    return known is not None


async def record(  # noqa: PLR0913 (one argument per column)
    session: AsyncSession,
    *,
    organization_id: UUID,
    action: str,
    target: str,
    target_id: UUID,
    actor: Actor | None,
    changes: Mapping[str, object],
) -> None:
    """Save one audit entry, in the caller's transaction.

    Args:
        session: the caller's.
        organization_id: whose data was written.
        action: what happened, such as `invoice.voided`.
        target: the kind of thing that was written, such as `invoice`.
        target_id: which one.
        actor: who did it; none for the system itself.
        changes: the new values, as far as they may be shown to staff.
    """
    entry = AuditEntry(
        organization_id=organization_id,
        actor_id=actor.user_id if actor else None,
        action=action,
        target=target,
        target_id=target_id,
        changes=dict(changes),
        request_id=current_request_id(),
    )
    session.add(entry)
    await session.flush()


async def ensure_organization(session: AsyncSession, *, name: str, owner_email: str, password: str) -> Actor:
    """The owner of an organization; both are made if they are not there yet.

    Args:
        session: the caller's.
        name: the organization's name, by which it is found among those that the user owns.
        owner_email: signs in with it.
        password: for a new owner; the one of an existing user stays.
    """
    user = await queries.user_with(session, owner_email)
    if user is None:
        user = User(email=normalized(owner_email), password_hash=await passwords.hashed(password))
        session.add(user)
        await session.flush()
    owned = (
        select(Membership.organization_id)
        .join(Organization, Organization.id == Membership.organization_id)
        .where(Membership.user_id == user.id, Membership.role == Role.OWNER, Organization.name == name)
    )
    organization_id = await session.scalar(owned.limit(1))
    if organization_id is None:
        organization = Organization(name=name)
        session.add(organization)
        await session.flush()
        organization_id = organization.id
        session.add(Membership(user_id=user.id, organization_id=organization_id, role=Role.OWNER))
        await record(
            session,
            organization_id=organization_id,
            action="organization.created",
            target="organization",
            target_id=organization_id,
            actor=None,
            changes={"name": name, "owner": user.email},
        )
    return Actor(user_id=user.id, organization_id=organization_id, role=Role.OWNER, email=user.email)


async def _count_attempt(session: AsyncSession, key: str) -> int:
    """How many attempts there were in a row, with this one.

    Raises:
        TooManyAttemptsError: there were too many before, which this one does not add to.
    """
    now = datetime.now(UTC)
    # What another request forgets at this moment is not waited for.
    over = select(SignInAttempts.key).where(SignInAttempts.expires_at <= now)
    over = over.with_for_update(skip_locked=True)
    await session.execute(delete(SignInAttempts).where(SignInAttempts.key.in_(over)))
    counting = (
        insert_into(session, SignInAttempts)
        .values(key=key, count=1, expires_at=now + LOCK)
        .on_conflict_do_update(
            index_elements=[SignInAttempts.key],
            set_={"count": SignInAttempts.count + 1, "expires_at": now + LOCK},
        )
        .returning(SignInAttempts.count)
    )
    attempts = (await session.scalars(counting)).one()
    if attempts > MAX_ATTEMPTS:
        raise TooManyAttemptsError
    return attempts


async def _locked_token(session: AsyncSession, token: str) -> RefreshToken | None:
    """What is known of a refresh token, while nobody else refreshes for the same membership.

    A lock on the token alone would let its family end and grow at the same moment.
    """
    same = RefreshToken.token_hash == _digest(token)
    whose = select(RefreshToken.membership_id).where(same).scalar_subquery()
    await session.execute(select(Membership.id).where(Membership.id == whose).with_for_update(key_share=True))
    return await session.scalar(select(RefreshToken).where(same))


async def _replace_hash(session: AsyncSession, secret_key: SecretStr, user: User, better: str) -> None:
    """Store another hash of the same password, with which refresh tokens go on."""
    same = (User.id == user.id, User.password_hash == user.password_hash)
    await session.execute(update(User).where(*same).values(password_hash=better))
    memberships = select(Membership.id).where(Membership.user_id == user.id)
    theirs = (
        RefreshToken.membership_id.in_(memberships),
        RefreshToken.fingerprint == tokens.fingerprint(secret_key, user.password_hash),
    )
    after = tokens.fingerprint(secret_key, better)
    await session.execute(update(RefreshToken).where(*theirs).values(fingerprint=after))


async def _end_family(session: AsyncSession, token: RefreshToken) -> None:
    await session.execute(delete(RefreshToken).where(RefreshToken.family_id == token.family_id))


async def _grant(
    session: AsyncSession,
    secret_key: SecretStr,
    member: Member,
    scopes: frozenset[Scope],
    *,
    family_id: UUID,
) -> Granted:
    """New tokens for as much of the scopes as the member's role allows."""
    now = datetime.now(UTC)
    token = secrets.token_urlsafe(32)
    claims = tokens.Claims(
        membership_id=member.membership.id,
        fingerprint=tokens.fingerprint(secret_key, member.user.password_hash),
        scopes=scopes & scopes_of(member.actor().role),
    )
    expired = (RefreshToken.membership_id == claims.membership_id, RefreshToken.expires_at <= now)
    await session.execute(delete(RefreshToken).where(*expired))
    known = RefreshToken(
        family_id=family_id,
        membership_id=claims.membership_id,
        token_hash=_digest(token),
        fingerprint=claims.fingerprint,
        scope=tokens.text_of(claims.scopes),
        expires_at=now + REFRESH_LIFETIME,
    )
    session.add(known)
    await session.flush()
    return Granted(access_token=tokens.issue(secret_key, claims), refresh_token=token, scope=known.scope)


def _digest(token: str) -> str:
    # It is random and long: unlike a password, nobody finds it by trying.
    return hashlib.sha256(token.encode()).hexdigest()
