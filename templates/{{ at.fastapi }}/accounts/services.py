"""Writes. Services flush; the caller commits."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import structlog
from pydantic import SecretStr
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from ..core.database import Sessions
from ..core.inserts import insert_into
from ..core.request_id import current_request_id
from ..core.settings import Settings
from . import passwords, queries, tokens
from .addresses import normalize_email
from .contracts import Actor, Role, Scope
from .errors import NotAMemberError, TooManyAttemptsError, WrongCredentialsError
from .models import (
    AuditEntry,
    BrowserSession,
    Membership,
    Organization,
    RefreshToken,
    SignInAttempts,
    User,
)
from .permissions import scopes_of
from .queries import Member

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Grant:
    """The tokens that a client gets."""

    access_token: str
    refresh_token: str
    scope: str
    expires_in: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A sign-in; `client` is the IP address it comes from."""

    email: str
    password: str
    client: str
    organization_id: UUID | None
    scopes: frozenset[Scope]

    def account_key(self) -> str:
        """Return what failures per account and client are counted by, without the address itself."""
        return digest(f"{normalize_email(self.email)}\n{self.client}")

    def client_key(self) -> str:
        return digest(f"\n{self.client}")


async def check_password(sessions: Sessions, settings: Settings, credentials: Credentials) -> User:
    """Return the user with these credentials.

    An attempt counts as a failure until it succeeds, so that concurrent guesses are limited too. No database
    connection is held while the password is hashed.

    Raises:
        WrongCredentialsError: the user is unknown or inactive, or the password is wrong.
        TooManyAttemptsError: rate limited.
    """
    async with sessions.begin() as session:
        limits = {
            credentials.account_key(): settings.sign_in_failures_per_account,
            credentials.client_key(): settings.sign_in_failures_per_client,
        }
        counts = await count_attempt(session, settings, limits)
        user = await queries.get_user_by_email(session, credentials.email)
    password_hash = None if user is None else user.password_hash
    matches = await passwords.verify_password(password_hash, credentials.password)
    if user is None or not matches or not user.is_active:
        if counts[credentials.account_key()] >= settings.sign_in_failures_per_account:
            raise TooManyAttemptsError(settings.sign_in_window_seconds)
        raise WrongCredentialsError
    if passwords.needs_rehash(user.password_hash):
        new_hash = await passwords.hash_password(credentials.password)
        async with sessions.begin() as session:
            await _replace_hash(session, settings.secret_key, user, new_hash)
        user.password_hash = new_hash
    return user


async def admit(session: AsyncSession, *, user: User, credentials: Credentials) -> Member | None:
    """Reset the user's failures, and return the member to sign in, if there is one.

    Raises:
        WrongCredentialsError: the password was changed, or the user deactivated, since it was checked.
    """
    await reset_failures(session, credentials)
    member = await queries.get_member_of(
        session, user_id=user.id, organization_id=credentials.organization_id
    )
    if member and (not member.is_active or member.password_hash != user.password_hash):
        raise WrongCredentialsError
    return member


async def reset_failures(session: AsyncSession, credentials: Credentials) -> None:
    """Take back the attempt that succeeded, and the failures of its account."""
    attempts = SignInAttempts
    await session.execute(delete(attempts).where(attempts.key == credentials.account_key()))
    success = update(attempts).where(attempts.key == credentials.client_key())
    await session.execute(success.values(count=attempts.count - 1))


async def sign_in(sessions: Sessions, settings: Settings, credentials: Credentials) -> Grant:
    """Grant tokens for a password.

    Raises:
        WrongCredentialsError: the user is unknown or inactive, or the password is wrong.
        TooManyAttemptsError: rate limited.
        NotAMemberError: the user is not in the organization, or in none.
    """
    user = await check_password(sessions, settings, credentials)
    async with sessions.begin() as session:
        member = await admit(session, user=user, credentials=credentials)
        grant = member and await grant_for(session, settings, member, credentials.scopes, family_id=uuid4())
    if grant is None:
        raise NotAMemberError
    return grant


async def refresh(session: AsyncSession, settings: Settings, *, token: str) -> Grant | None:
    """Rotate a refresh token; return None if it is invalid, expired or used.

    A token that is used twice revokes its family: one of the two clients may have stolen it.
    """
    now = datetime.now(UTC)
    known = await _lock_token(session, token)
    if known is None or known.expires_at <= now:
        return None
    if known.rotated_at is not None:
        await _revoke_family(session, known)
        logger.warning("refresh_token_reused", membership_id=str(known.membership_id))
        return None
    member = await queries.get_member(session, known.membership_id)
    if (
        member is None
        or not member.is_active
        or known.fingerprint != tokens.fingerprint(settings.secret_key, member.password_hash)
    ):
        return None
    known.rotated_at = now
    return await grant_for(
        session, settings, member, tokens.parse_scopes(known.scope), family_id=known.family_id
    )


async def revoke(session: AsyncSession, *, token: str) -> bool:
    """Revoke a refresh token and its family; return whether it exists."""
    known = await _lock_token(session, token)
    if known is not None:
        await _revoke_family(session, known)
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
    """Add an entry to the audit trail, in the caller's transaction.

    Args:
        session: the caller's.
        organization_id: the tenant.
        action: what happened, such as `invoice.voided`.
        target: the kind of object, such as `invoice`.
        target_id: its id.
        actor: who did it; None for the system.
        changes: the new values, without secrets.
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
    """Return the owner of an organization; create the two if they do not exist.

    Args:
        session: the caller's.
        name: the organization's name, among those that the user owns.
        owner_email: the address that the owner signs in with.
        password: for a new owner; an existing user keeps theirs.
    """
    user = await queries.get_user_by_email(session, owner_email)
    if user is None:
        password_hash = await passwords.hash_password(password)
        user = User(email=normalize_email(owner_email), password_hash=password_hash)
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


async def set_staff(session: AsyncSession, user_id: UUID, *, is_staff: bool) -> None:
    """Add a user to the staff, or remove them."""
    user = await lock_user(session, user_id)
    if user.is_staff == is_staff:
        return
    user.is_staff = is_staff
    changes = {"is_staff": [not is_staff, is_staff]}
    await record_user(session, user_id, "user.changed", actor=None, changes=changes)


async def lock_user(session: AsyncSession, user_id: UUID) -> User:
    # FOR NO KEY UPDATE: audit entries that refer to the row are not blocked, which could deadlock.
    return await session.get_one(User, user_id, with_for_update={"key_share": True})


async def record_user(
    session: AsyncSession,
    user_id: UUID,
    action: str,
    *,
    actor: Actor | None,
    changes: Mapping[str, object],
) -> None:
    """Add a change of a user to the audit trail of each of their organizations."""
    for organization_id in await queries.list_organization_ids(session, user_id):
        await record(
            session,
            organization_id=organization_id,
            action=action,
            target="user",
            target_id=user_id,
            actor=actor,
            changes=changes,
        )


async def count_attempt(
    session: AsyncSession, settings: Settings, limits: Mapping[str, int]
) -> Mapping[str, int]:
    """Count an attempt for each of the rate limits, and return the numbers by key.

    Raises:
        TooManyAttemptsError: one of the limits was reached before; this attempt does not extend it.
    """
    now = datetime.now(UTC)
    window = timedelta(seconds=settings.sign_in_window_seconds)
    expired = select(SignInAttempts.key).where(SignInAttempts.expires_at <= now)
    # Skip what another request is deleting.
    expired = expired.with_for_update(skip_locked=True)
    await session.execute(delete(SignInAttempts).where(SignInAttempts.key.in_(expired)))
    counting = (
        insert_into(session, SignInAttempts)
        # Always in the same order, or two requests could wait for each other.
        .values([{"key": key, "count": 1, "expires_at": now + window} for key in sorted(limits)])
        .on_conflict_do_update(
            index_elements=[SignInAttempts.key],
            set_={"count": SignInAttempts.count + 1, "expires_at": now + window},
        )
        .returning(SignInAttempts.key, SignInAttempts.count)
    )
    counts: dict[str, int] = dict((await session.execute(counting)).all())
    if any(counts[key] > limit for key, limit in limits.items()):
        raise TooManyAttemptsError(settings.sign_in_window_seconds)
    return counts


async def _lock_token(session: AsyncSession, token: str) -> RefreshToken | None:
    """Return a refresh token, and lock its membership.

    A lock on the token alone would let another request extend the family while this one revokes it.
    """
    same = RefreshToken.token_hash == digest(token)
    membership_id = select(RefreshToken.membership_id).where(same).scalar_subquery()
    membership = select(Membership.id).where(Membership.id == membership_id)
    await session.execute(membership.with_for_update(key_share=True))
    return await session.scalar(select(RefreshToken).where(same))


async def _replace_hash(session: AsyncSession, secret_key: SecretStr, user: User, new_hash: str) -> None:
    """Store a new hash of the same password; the user stays signed in."""
    same = (User.id == user.id, User.password_hash == user.password_hash)
    await session.execute(update(User).where(*same).values(password_hash=new_hash))
    memberships = select(Membership.id).where(Membership.user_id == user.id)
    before = tokens.fingerprint(secret_key, user.password_hash)
    after = tokens.fingerprint(secret_key, new_hash)
    for model in (RefreshToken, BrowserSession):
        stored = (model.membership_id.in_(memberships), model.fingerprint == before)
        await session.execute(update(model).where(*stored).values(fingerprint=after))


async def _revoke_family(session: AsyncSession, token: RefreshToken) -> None:
    await session.execute(delete(RefreshToken).where(RefreshToken.family_id == token.family_id))


async def grant_for(
    session: AsyncSession,
    settings: Settings,
    member: Member,
    scopes: frozenset[Scope],
    *,
    family_id: UUID,
) -> Grant:
    """Issue tokens with those of the scopes that the member's role allows."""
    now = datetime.now(UTC)
    token = new_token()
    claims = tokens.Claims(
        membership_id=member.membership_id,
        fingerprint=tokens.fingerprint(settings.secret_key, member.password_hash),
        scopes=scopes & scopes_of(Role(member.role)),
    )
    expired = (RefreshToken.membership_id == claims.membership_id, RefreshToken.expires_at <= now)
    await session.execute(delete(RefreshToken).where(*expired))
    scope = tokens.format_scopes(claims.scopes)
    refresh_token = RefreshToken(
        family_id=family_id,
        membership_id=claims.membership_id,
        token_hash=digest(token),
        fingerprint=claims.fingerprint,
        scope=scope,
        expires_at=now + timedelta(seconds=settings.refresh_token_seconds),
    )
    session.add(refresh_token)
    await session.flush()
    lifetime = timedelta(seconds=settings.access_token_seconds)
    access_token = tokens.issue(settings.secret_key, claims, lifetime=lifetime)
    return Grant(access_token, token, scope, settings.access_token_seconds)


def new_token() -> str:
    return secrets.token_urlsafe(32)


def digest(text: str) -> str:
    # Tokens are random and long; unlike a password they need no slow hash.
    return hashlib.sha256(text.encode()).hexdigest()
