"""Writes. They flush and the request commits; `check_password` commits the attempts that it counts itself."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from uuid import UUID

from flask import current_app
from sqlalchemy import delete, select, update

from ..core.inserts import insert_into
from ..core.problems import Problem
from ..core.request_id import current_request_id
from ..core.settings import Settings
from ..extensions import db
from . import passwords, queries
from .addresses import normalize_email
from .contracts import Actor, Role, Scope
from .models import AuditEntry, BrowserSession, Membership, Organization, SignInAttempts, Token, User
from .permissions import scopes_of
from .queries import Member

TOKEN_NAME = "sign-in"  # noqa: S105 (what a token is called that a password was exchanged for)
TOKEN_LIFETIME = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """A new token. Only its hash is stored."""

    access_token: str
    scope: str
    expires_in: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """An e-mail address, a password and the client's IP address, for the rate limit."""

    email: str
    password: str
    client: str
    organization_id: UUID | None = None
    scopes: frozenset[Scope] = frozenset()

    def rate_limits(self) -> dict[str, int]:
        """Return how many failures are allowed per key: the account and client, and the client.

        The keys are hashes, so that the table tells nobody's address.
        """
        settings: Settings = current_app.config["SETTINGS"]
        return {
            attempts_key(normalize_email(self.email), self.client): settings.sign_in_failures_per_account,
            attempts_key(self.client): settings.sign_in_failures_per_client,
        }


def sign_in(credentials: Credentials) -> IssuedToken:
    """Exchange a password for a token.

    Raises:
        Problem: as `authenticate` does.
    """
    member = authenticate(credentials)
    return issue_token(member, credentials.scopes, name=TOKEN_NAME, lifetime=TOKEN_LIFETIME)


def authenticate(credentials: Credentials) -> Member:
    """Check a password and return the member.

    Raises:
        Problem: as `check_password` does; 403 if the user is not a member of the organization, or of any.
    """
    user_id, password_hash = check_password(credentials)
    # Who changes the password waits for this lock, and then ends this sign-in too.
    if lock_user(user_id).password_hash != password_hash:
        raise wrong_credentials()
    member = queries.member_of(user_id=user_id, organization_id=credentials.organization_id)
    if member is None:
        db.session.commit()
        raise not_a_member()
    return member


def check_password(credentials: Credentials) -> tuple[UUID, str]:
    """Check a password and return the user's id and the hash.

    An attempt counts as failed until it succeeds, so concurrent guesses cannot pass the rate limit. That is
    committed before the password is hashed, and no connection is held meanwhile.

    Raises:
        Problem: 401 for an unknown address or a wrong password, 429 over the rate limit.
    """
    limits = credentials.rate_limits()
    exceeded = [count_attempt(key, limit) for key, limit in limits.items()]
    user = queries.user_with(credentials.email)
    user_id, password_hash = (user.id, user.password_hash) if user and user.is_active else (None, None)
    db.session.commit()
    if any(exceeded):
        raise too_many_attempts()
    verified = passwords.verify_password(password_hash, credentials.password)
    if not verified or user_id is None or password_hash is None:
        raise wrong_credentials()
    if passwords.needs_rehash(password_hash):
        rehashed = passwords.hash_password(credentials.password)
        unchanged = (User.id == user_id, User.password_hash == password_hash)
        db.session.execute(update(User).where(*unchanged).values(password_hash=rehashed))
        password_hash = rehashed
    _forget_attempts(*limits)
    return user_id, password_hash


def issue_token(member: Member, scopes: frozenset[Scope], *, name: str, lifetime: timedelta) -> IssuedToken:
    """Create a token, and delete the member's expired ones.

    Args:
        member: who the token stands for.
        scopes: the scopes asked for; the token gets those that the member's role allows.
        name: a label for people.
        lifetime: how long it is valid.
    """
    now = datetime.now(UTC)
    expired = (Token.membership_id == member.membership.id, Token.expires_at <= now)
    db.session.execute(delete(Token).where(*expired))
    text = queries.TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = Token(
        membership_id=member.membership.id,
        name=name,
        token_hash=queries.digest(text),
        scope=" ".join(sorted(scopes & scopes_of(member.actor().role))),
        expires_at=now + lifetime,
    )
    db.session.add(token)
    db.session.flush()
    return IssuedToken(access_token=text, scope=token.scope, expires_in=int(lifetime.total_seconds()))


def create_token(member: Member, scopes: frozenset[Scope], *, name: str, lifetime: timedelta) -> IssuedToken:
    """Create a token for another service, with an audit entry."""
    issued = issue_token(member, scopes, name=name, lifetime=lifetime)
    record(
        organization_id=member.membership.organization_id,
        action="token.created",
        target="membership",
        target_id=member.membership.id,
        actor=None,
        changes={"name": name, "scope": issued.scope},
    )
    return issued


def revoke_token(token_id: UUID) -> bool:
    """Delete a token and return whether there was one."""
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


def set_password(user: User, password_hash: str, *, actor: Actor | None) -> None:
    """Set a user's new password, and end what was signed in with the old one."""
    user.password_hash = password_hash
    end_sign_ins(user.id)
    for membership, _ in queries.memberships_of(user.id):
        record_user(user, membership.organization_id, {"password": "changed"}, actor=actor)


def end_sign_ins(user_id: UUID) -> None:
    """Delete the user's sign-in tokens and browser sessions; tokens for other services stay."""
    mine = select(Membership.id).where(Membership.user_id == user_id)
    db.session.execute(delete(Token).where(Token.membership_id.in_(mine), Token.name == TOKEN_NAME))
    db.session.execute(delete(BrowserSession).where(BrowserSession.membership_id.in_(mine)))


def record(  # noqa: PLR0913 (one argument per column)
    *,
    organization_id: UUID,
    action: str,
    target: str,
    target_id: UUID,
    actor: Actor | None,
    changes: Mapping[str, object],
) -> None:
    """Add an audit entry to the transaction.

    Args:
        organization_id: the tenant whose data changes.
        action: what happens, such as `invoice.voided`.
        target: the kind of the object, such as `invoice`.
        target_id: the id of the object.
        actor: who does it; None for the system.
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
    db.session.add(entry)
    db.session.flush()


def ensure_organization(*, name: str, owner_email: str, password: str) -> Actor:
    """Return the owner of an organization; create either where it is missing.

    Args:
        name: the organization's name, unique among those that the user owns.
        owner_email: the owner's address.
        password: for a new user; an existing one keeps theirs.
    """
    user = queries.user_with(owner_email)
    if user is None:
        user = User(email=normalize_email(owner_email), password_hash=passwords.hash_password(password))
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


def set_staff(user_id: UUID, *, is_staff: bool) -> None:
    """Let a user use the admin, or no longer."""
    user = lock_user(user_id)
    before, user.is_staff = user.is_staff, is_staff
    for membership, _ in queries.memberships_of(user_id):
        record_user(user, membership.organization_id, {"is_staff": [before, is_staff]}, actor=None)


def lock_user(user_id: UUID) -> User:
    """Lock the row of a user, and read it again."""
    # A weaker lock that allows foreign keys to the row; otherwise two who change each other deadlock.
    lock = {"key_share": True}
    return db.session.get_one(User, user_id, with_for_update=lock, populate_existing=True)


def record_user(
    user: User, organization_id: UUID, changes: Mapping[str, object], *, actor: Actor | None
) -> None:
    """Add an audit entry about a change of a user."""
    record(
        organization_id=organization_id,
        action="user.changed",
        target="user",
        target_id=user.id,
        actor=actor,
        changes=changes,
    )


def acting_for(user_id: UUID, organization_id: UUID) -> Actor:
    """Return a user as an actor of an organization.

    Raises:
        Problem: 403, the user is not a member of it.
    """
    member = queries.member_of(user_id=user_id, organization_id=organization_id)
    if member is None:
        raise not_a_member()
    return member.actor()


def not_a_member() -> Problem:
    """Return the 403 for an organization that does not exist or that the user is not in."""
    return Problem(HTTPStatus.FORBIDDEN, "You are not a member of this organization, or of any.")


def attempts_key(*parts: str) -> str:
    """Return a key to count attempts by, from which nobody's address can be read."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def count_attempt(key: str, limit: int) -> bool:
    """Count an attempt and return whether it exceeds the limit; one that does is not counted."""
    settings: Settings = current_app.config["SETTINGS"]
    now = datetime.now(UTC)
    expires_at = now + timedelta(seconds=settings.sign_in_window_seconds)
    # Skip what another request deletes at this moment.
    expired = select(SignInAttempts.key).where(SignInAttempts.expires_at <= now)
    expired = expired.with_for_update(skip_locked=True)
    db.session.execute(delete(SignInAttempts).where(SignInAttempts.key.in_(expired)))
    counting = (
        insert_into(SignInAttempts)
        .values(key=key, count=1, expires_at=expires_at)
        .on_conflict_do_update(
            index_elements=[SignInAttempts.key],
            set_={"count": SignInAttempts.count + 1, "expires_at": expires_at},
            where=SignInAttempts.count < limit,
        )
        .returning(SignInAttempts.count)
    )
    return db.session.scalar(counting) is None


def _forget_attempts(account_key: str, client_key: str) -> None:
    """After a success: reset the account's count, and take this attempt off the client's."""
    db.session.execute(delete(SignInAttempts).where(SignInAttempts.key == account_key))
    of_client = SignInAttempts.key == client_key
    db.session.execute(update(SignInAttempts).where(of_client).values(count=SignInAttempts.count - 1))


def wrong_credentials() -> Problem:
    """Return the 401 for an unknown address and a wrong password alike, so as not to reveal accounts."""
    return Problem(
        HTTPStatus.UNAUTHORIZED,
        "The e-mail address or the password is wrong.",
        headers={"WWW-Authenticate": "Bearer"},
    )


def too_many_attempts() -> Problem:
    """Return the 429 with the time to wait."""
    settings: Settings = current_app.config["SETTINGS"]
    return Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "Too many failed attempts to sign in; try again later.",
        headers={"Retry-After": str(settings.sign_in_window_seconds)},
    )
