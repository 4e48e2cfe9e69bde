"""Writes: they flush, and the boundary of the request commits; signing in commits itself, as it says."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from uuid import UUID

from sqlalchemy import delete, select, update

from ..core.inserts import insert_into
from ..core.problems import Problem
from ..core.request_id import current_request_id
from ..extensions import db
from . import passwords, queries
from .contracts import Actor, Role, Scope
from .models import AuditEntry, Membership, Organization, SignInAttempts, Token, User
from .permissions import scopes_of
from .queries import Member, normalized

MAX_ATTEMPTS = 10
LOCK = timedelta(minutes=15)
SIGN_IN = "sign-in"
SIGN_IN_LIFETIME = timedelta(hours=1)
# So that a leaked token is found by scanners, and that a guess needs no look into the database.
PREFIX = "tok_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What a client gets: the token itself is nowhere else."""

    access_token: str
    scope: str
    expires_in: int


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


def sign_in(credentials: Credentials) -> Granted:
    """A token for a password.

    Raises:
        Problem: see `admit`.
    """
    return grant(admit(credentials), credentials.scopes, name=SIGN_IN, lifetime=SIGN_IN_LIFETIME)


def admit(credentials: Credentials) -> Member:
    """Who signs in with a password, as a member of an organization.

    An attempt counts as failed until it has succeeded, so that many at once are no way around the limit: it
    is committed before the password is looked at, and meanwhile no connection is held.

    Raises:
        Problem: 401 if there is no such user or the password is another one, 429 after too many failures in
            a row, 403 if the user is not in the organization, or in none, 503 if too many sign in at once.
    """
    attempts = _count_attempt(credentials.attempts_key)
    user = queries.user_with(credentials.email)
    user_id, password_hash = (user.id, user.password_hash) if user and user.is_active else (None, None)
    db.session.commit()
    try:
        right = passwords.matches(password_hash, credentials.password)
    except Problem:
        _take_back_attempt(credentials.attempts_key)
        raise
    if user_id is None or not right:
        raise _too_many_attempts() if attempts >= MAX_ATTEMPTS else _wrong_credentials()
    if password_hash and passwords.is_outdated(password_hash):
        renewed = passwords.hashed(credentials.password)
        unchanged = (User.id == user_id, User.password_hash == password_hash)
        db.session.execute(update(User).where(*unchanged).values(password_hash=renewed))
        password_hash = renewed
    db.session.execute(delete(SignInAttempts).where(SignInAttempts.key == credentials.attempts_key))
    member = queries.member_of(user_id=user_id, organization_id=credentials.organization_id)
    if member is None:
        db.session.commit()
        raise not_a_member()
    if member.user.password_hash != password_hash:
        # It was changed while this one was looked at.
        raise _wrong_credentials()
    return member


def grant(member: Member, scopes: frozenset[Scope], *, name: str, lifetime: timedelta) -> Granted:
    """A new token for as much of the scopes as the member's role allows.

    Args:
        member: for whom it stands.
        scopes: what it may be used for.
        name: what it is for, for people.
        lifetime: how long it is good.
    """
    now = datetime.now(UTC)
    expired = (Token.membership_id == member.membership.id, Token.expires_at <= now)
    db.session.execute(delete(Token).where(*expired))
    text = PREFIX + secrets.token_urlsafe(32)
    token = Token(
        membership_id=member.membership.id,
        name=name,
        token_hash=queries.digest(text),
        scope=" ".join(sorted(scopes & scopes_of(member.actor().role))),
        expires_at=now + lifetime,
    )
    db.session.add(token)
    db.session.flush()
    return Granted(access_token=text, scope=token.scope, expires_in=int(lifetime.total_seconds()))


def create_token(member: Member, scopes: frozenset[Scope], *, name: str, lifetime: timedelta) -> Granted:
    """The same as `grant`, for who does not sign in; the audit trail knows of it."""
    granted = grant(member, scopes, name=name, lifetime=lifetime)
    record(
        organization_id=member.membership.organization_id,
        action="token.created",
        target="membership",
        target_id=member.membership.id,
        actor=None,
        changes={"name": name, "scope": granted.scope},
    )
    return granted


def revoke(token_id: UUID) -> bool:
    """End a token at once; whether it was there."""
    token = db.session.get(Token, token_id)
    if token is None:
        return False
    membership = db.session.get_one(Membership, token.membership_id)
    db.session.delete(token)
    record(
        organization_id=membership.organization_id,
        action="token.revoked",
        target="token",
        target_id=token.id,
        actor=None,
        changes={"name": token.name},
    )
    return True


def record(  # noqa: PLR0913 (one argument per column)
    *,
    organization_id: UUID,
    action: str,
    target: str,
    target_id: UUID,
    actor: Actor | None,
    changes: Mapping[str, object],
) -> None:
    """Save one audit entry, in the transaction of what it tells of.

    Args:
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
    db.session.add(entry)
    db.session.flush()


def ensure_organization(*, name: str, owner_email: str, password: str) -> Actor:
    """The owner of an organization; both are made if they are not there yet.

    Args:
        name: the organization's name, by which it is found among those that the user owns.
        owner_email: signs in with it.
        password: for a new owner; the one of an existing user stays.
    """
    user = queries.user_with(owner_email)
    if user is None:
        user = User(email=normalized(owner_email), password_hash=passwords.hashed(password))
        db.session.add(user)
        db.session.flush()
    owned = (
        select(Membership.organization_id)
        .join(Organization, Organization.id == Membership.organization_id)
        .where(Membership.user_id == user.id, Membership.role == Role.OWNER, Organization.name == name)
    )
    organization_id = db.session.scalar(owned.limit(1))
    if organization_id is None:
        organization = Organization(name=name)
        db.session.add(organization)
        db.session.flush()
        organization_id = organization.id
        db.session.add(Membership(user_id=user.id, organization_id=organization_id, role=Role.OWNER))
        record(
            organization_id=organization_id,
            action="organization.created",
            target="organization",
            target_id=organization_id,
            actor=None,
            changes={"name": name, "owner": user.email},
        )
    return Actor(user_id=user.id, organization_id=organization_id, role=Role.OWNER, email=user.email)


def not_a_member() -> Problem:
    """The same for an organization that is not there."""
    return Problem(HTTPStatus.FORBIDDEN, "You are not a member of this organization, or of any.")


def _count_attempt(key: str) -> int:
    """How many attempts there were in a row, with this one.

    Raises:
        Problem: 429, there were too many before, which this one does not add to.
    """
    now = datetime.now(UTC)
    # What another request forgets at this moment is not waited for.
    over = select(SignInAttempts.key).where(SignInAttempts.expires_at <= now)
    over = over.with_for_update(skip_locked=True)
    db.session.execute(delete(SignInAttempts).where(SignInAttempts.key.in_(over)))
    counting = (
        insert_into(SignInAttempts)
        .values(key=key, count=1, expires_at=now + LOCK)
        .on_conflict_do_update(
            index_elements=[SignInAttempts.key],
            set_={"count": SignInAttempts.count + 1, "expires_at": now + LOCK},
        )
        .returning(SignInAttempts.count)
    )
    attempts = db.session.scalars(counting).one()
    if attempts > MAX_ATTEMPTS:
        raise _too_many_attempts()
    return attempts


def _take_back_attempt(key: str) -> None:
    """Nobody looked at the password, so it is no failure."""
    of_this = SignInAttempts.key == key
    db.session.execute(update(SignInAttempts).where(of_this).values(count=SignInAttempts.count - 1))
    db.session.execute(delete(SignInAttempts).where(of_this, SignInAttempts.count == 0))
    db.session.commit()


def _wrong_credentials() -> Problem:
    # The same for an unknown address and a wrong password, so that nobody learns who has an account.
    return Problem(
        HTTPStatus.UNAUTHORIZED,
        "The e-mail address or the password is wrong.",
        headers={"WWW-Authenticate": "Bearer"},
    )


def _too_many_attempts() -> Problem:
    return Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "Too many failed attempts to sign in; try again later.",
        headers={"Retry-After": str(int(LOCK.total_seconds()))},
    )
