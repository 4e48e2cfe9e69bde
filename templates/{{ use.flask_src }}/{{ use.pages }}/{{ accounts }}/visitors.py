"""Sessions of browsers: a random token in Flask's signed cookie, of which the database knows the hash.

A session ends with signing out, after twelve hours, when its user is deactivated or has a new password, when
the membership ends, and when SECRET_KEY changes. The cookie is for pages only; the API does not read it.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote
from uuid import UUID

from apiflask import APIFlask
from flask import Blueprint, Response, g, request, session
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
    """Who uses the pages, and for which organization."""

    session_id: UUID
    actor: Actor
    organization: str


def recognize(app: APIFlask, pages: Sequence[Blueprint]) -> None:
    """Show these pages to nobody who is not signed in; who is not is led to the sign-in page."""
    names = frozenset(blueprint.name for blueprint in pages)

    @app.before_request
    def admit() -> Response | None:
        if request.blueprint not in names:
            return None
        visitor = find(_token())
        if visitor is None:
            asked = quote(request.full_path if request.query_string else request.path)
            return go(f"{SIGN_IN}?next={asked}" if request.method in SAFE_METHODS else SIGN_IN)
        g.visitor, g.actor = visitor, visitor.actor
        bind_contextvars(user_id=str(visitor.actor.user_id))
        return None


def current_visitor() -> Visitor:
    """Who is signed in, on a page that takes it."""
    visitor: Visitor = g.visitor
    return visitor


def begin(member: Member) -> None:
    """Begin a session for a member; the one that the browser had before ends."""
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
    # Nothing that was in the cookie before is taken over.
    session.clear()
    session.permanent = True
    session[TOKEN] = token


def find(token: str) -> Visitor | None:
    """Whose session it is that has this token; none if it has ended."""
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
    if row is None:
        return None
    known, membership, user, organization = row
    if known.fingerprint != _fingerprint(user):
        return None
    return Visitor(known.id, Member(membership, user).actor(), organization)


def memberships_of(user_id: UUID) -> Sequence[tuple[Membership, str]]:
    """The user's memberships with the names of the organizations, the oldest first."""
    memberships = (
        select(Membership, Organization.name)
        .join(Organization, Organization.id == Membership.organization_id)
        .where(Membership.user_id == user_id)
        .order_by(Membership.created_at, Membership.id)
    )
    return [(membership, name) for membership, name in db.session.execute(memberships)]


def choose(visitor: Visitor, organization_id: UUID) -> None:
    """From now on the session is for this organization.

    Raises:
        Problem: 403, the user is not in it.
    """
    member = queries.member_of(user_id=visitor.actor.user_id, organization_id=organization_id)
    if member is None:
        raise services.not_a_member()
    db.session.get_one(BrowserSession, visitor.session_id).membership_id = member.membership.id


def sign_out(visitor: Visitor) -> None:
    """End the session; whoever copied its cookie is out as well."""
    db.session.execute(delete(BrowserSession).where(BrowserSession.id == visitor.session_id))
    session.clear()


def _token() -> str:
    return str(session.get(TOKEN, ""))


def _fingerprint(user: User) -> str:
    # What changes with the password.
    return queries.digest(user.password_hash)
