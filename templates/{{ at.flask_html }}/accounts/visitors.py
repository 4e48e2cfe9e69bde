"""Browser sessions: a random token in Flask's signed cookie, and its hash in the database.

A session ends on signing out, after twelve hours, when the user is deactivated or has a new password, when
the membership ends, and when SECRET_KEY changes. The API does not accept the cookie.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote
from uuid import UUID

from flask import Response, current_app, g, request, session
from sqlalchemy import delete, select
from structlog.contextvars import bind_contextvars

from ..core.browsers import SAFE_METHODS, SESSION_LIFETIME, go
from ..extensions import db
from . import queries, services
from .contracts import Actor
from .models import BrowserSession, Membership, Organization, User
from .queries import Member

SIGN_IN = "/sign-in"
TOKEN = "token"  # noqa: S105 (its name in the cookie)


@dataclass(frozen=True, slots=True)
class Visitor:
    """The user of a session, and the organization that it is for."""

    session_id: UUID
    actor: Actor
    organization: str
    is_staff: bool


def require_session() -> Response | None:
    """Require a session for every page that is not open."""
    return authenticate() if request.blueprint in current_app.config["CLOSED_PAGES"] else None


def authenticate() -> Response | None:
    """Load the session of a request; without one, return a redirect to the sign-in page."""
    visitor = find(_token())
    if visitor is None:
        asked = quote(request.full_path if request.query_string else request.path)
        return go(f"{SIGN_IN}?next={asked}" if request.method in SAFE_METHODS else SIGN_IN)
    g.visitor, g.actor = visitor, visitor.actor
    bind_contextvars(user_id=str(visitor.actor.user_id))
    return None


def current_visitor() -> Visitor:
    """Return who is signed in, on a page that requires it."""
    visitor: Visitor = g.visitor
    return visitor


def begin(member: Member) -> None:
    """Start a session for a member, and end the browser's previous one."""
    now = datetime.now(UTC)
    expired = (BrowserSession.membership_id == member.membership.id, BrowserSession.expires_at <= now)
    db.session.execute(delete(BrowserSession).where(*expired))
    db.session.execute(delete(BrowserSession).where(BrowserSession.token_hash == queries.digest(_token())))
    token = secrets.token_urlsafe(32)
    known = BrowserSession(
        membership_id=member.membership.id,
        token_hash=queries.digest(token),
        fingerprint=_fingerprint(member.user),
        expires_at=now + SESSION_LIFETIME,
    )
    db.session.add(known)
    db.session.flush()
    # Keep nothing of the previous cookie.
    session.clear()
    session.permanent = True
    session[TOKEN] = token


def find(token: str) -> Visitor | None:
    """Return the session with a token; None if it has ended."""
    found = (
        select(BrowserSession, Membership, User, Organization.name)
        .join(Membership, Membership.id == BrowserSession.membership_id)
        .join(User, User.id == Membership.user_id)
        .join(Organization, Organization.id == Membership.organization_id)
        .where(
            BrowserSession.token_hash == queries.digest(token),
            BrowserSession.expires_at > datetime.now(UTC),
            User.is_active,
        )
    )
    row = db.session.execute(found).first()
    visitor = None
    if row is not None:
        known, membership, user, organization = row
        if known.fingerprint == _fingerprint(user):
            actor = Member(membership, user).actor()
            visitor = Visitor(known.id, actor, organization, user.is_staff)
    # End the transaction: a page that waits for another service holds no connection meanwhile.
    db.session.commit()
    return visitor


def choose(visitor: Visitor, organization_id: UUID) -> None:
    """Switch the session to another organization.

    Raises:
        Problem: 403, the user is not in it.
    """
    member = queries.member_of(user_id=visitor.actor.user_id, organization_id=organization_id)
    if member is None:
        raise services.not_a_member()
    db.session.get_one(BrowserSession, visitor.session_id).membership_id = member.membership.id


def sign_out(visitor: Visitor) -> None:
    """End the session, also for a copy of its cookie."""
    db.session.execute(delete(BrowserSession).where(BrowserSession.id == visitor.session_id))
    session.clear()


def _token() -> str:
    return str(session.get(TOKEN, ""))


def _fingerprint(user: User) -> str:
    # It changes with the password.
    return queries.digest(user.password_hash)
