"""Browser sessions: a random token in a cookie, whose hash is in the database.

A session ends with signing out, after twelve hours, when the user is deactivated or the password changes,
when the membership ends, and when SECRET_KEY changes. Only pages read the cookie, the API does not.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import Depends, Request, Response
from pydantic import SecretStr
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.contextvars import bind_contextvars

from ..core.browsers import SAFE_METHODS, Elsewhere, root_of
from ..core.database import Sessions
from ..core.dependencies import SettingsDependency
from ..core.settings import Settings
from . import queries, services, tokens
from .contracts import Actor, Role
from .errors import NotAMemberError
from .models import BrowserSession, Membership, Organization, User
from .queries import Member
from .services import Credentials

LIFETIME = timedelta(hours=12)
SIGN_IN = "/sign-in"


@dataclass(frozen=True, slots=True)
class Visitor:
    """A signed-in user of the pages, and the organization that they act for."""

    session_id: UUID
    actor: Actor
    organization: str
    is_staff: bool


async def sign_in(
    sessions: Sessions, settings: Settings, credentials: Credentials, *, replaced: str | None
) -> str:
    """Return the token of a new session; the browser's earlier session, if any, ends.

    Raises:
        WrongCredentialsError: the user is unknown or inactive, or the password is wrong.
        TooManyAttemptsError: rate limited.
        NotAMemberError: the user is in no organization.
    """
    user = await services.check_password(sessions, settings, credentials)
    async with sessions.begin() as session:
        member = await services.admit(session, user=user, credentials=credentials)
        token = member and await _begin(session, settings.secret_key, member)
        if replaced:
            ended = delete(BrowserSession).where(BrowserSession.token_hash == _digest(replaced))
            await session.execute(ended)
    if token is None:
        raise NotAMemberError
    return token


async def find(session: AsyncSession, *, secret_key: SecretStr, token: str) -> Visitor | None:
    """Return the visitor whose session has this token, unless it has ended."""
    found = (
        select(BrowserSession, Membership, User, Organization.name)
        .join(Membership, Membership.id == BrowserSession.membership_id)
        .join(User, User.id == Membership.user_id)
        .join(Organization, Organization.id == Membership.organization_id)
        .where(BrowserSession.token_hash == _digest(token), BrowserSession.expires_at > datetime.now(UTC))
    )
    row = (await session.execute(found)).first()
    if row is None:
        return None
    known, membership, user, organization = row
    if not user.is_active or known.fingerprint != tokens.fingerprint(secret_key, user.password_hash):
        return None
    return Visitor(
        session_id=known.id,
        actor=Actor(
            user_id=user.id,
            organization_id=membership.organization_id,
            role=Role(membership.role),
            email=user.email,
        ),
        organization=organization,
        is_staff=user.is_staff,
    )


async def memberships_of(session: AsyncSession, user_id: UUID) -> Sequence[tuple[Membership, str]]:
    """Return the user's memberships and the names of the organizations, oldest first."""
    memberships = (
        select(Membership, Organization.name)
        .join(Organization, Organization.id == Membership.organization_id)
        .where(Membership.user_id == user_id)
        .order_by(Membership.created_at, Membership.id)
    )
    return [(membership, name) for membership, name in await session.execute(memberships)]


async def choose(session: AsyncSession, visitor: Visitor, organization_id: UUID) -> None:
    """Switch the session to another organization.

    Raises:
        NotAMemberError: the user is not in it.
    """
    member = await queries.get_member_of(
        session, user_id=visitor.actor.user_id, organization_id=organization_id
    )
    if member is None:
        raise NotAMemberError
    known = await session.get_one(BrowserSession, visitor.session_id)
    known.membership_id = member.membership_id


async def sign_out(session: AsyncSession, visitor: Visitor) -> None:
    """End the session, also for a copy of its cookie."""
    await session.execute(delete(BrowserSession).where(BrowserSession.id == visitor.session_id))


async def _begin(session: AsyncSession, secret_key: SecretStr, member: Member) -> str:
    now = datetime.now(UTC)
    token = secrets.token_urlsafe(32)
    membership_id = member.membership_id
    expired = (BrowserSession.membership_id == membership_id, BrowserSession.expires_at <= now)
    await session.execute(delete(BrowserSession).where(*expired))
    known = BrowserSession(
        membership_id=membership_id,
        token_hash=_digest(token),
        fingerprint=tokens.fingerprint(secret_key, member.password_hash),
        expires_at=now + LIFETIME,
    )
    session.add(known)
    await session.flush()
    return token


def _digest(token: str) -> str:
    # Random and long; unlike a password it needs no slow hash.
    return hashlib.sha256(token.encode()).hexdigest()


def _cookie_name(settings: Settings) -> str:
    # Browsers accept `__Host-` only over TLS, for this host and all of its paths.
    return "__Host-session" if settings.production else "session"


def token_of(request: Request, settings: Settings) -> str | None:
    return request.cookies.get(_cookie_name(settings))


def keep_token(response: Response, settings: Settings, token: str) -> None:
    """Set the session cookie."""
    response.set_cookie(
        _cookie_name(settings),
        token,
        max_age=int(LIFETIME.total_seconds()),
        secure=settings.production,
        httponly=True,
        samesite="lax",
    )


def forget_token(response: Response, settings: Settings) -> None:
    response.delete_cookie(_cookie_name(settings), secure=settings.production, httponly=True, samesite="lax")


async def get_visitor(request: Request, settings: SettingsDependency) -> Visitor:
    """Return who is signed in; the database connection is given back before the page runs.

    Raises:
        Elsewhere: redirect to the sign-in page.
    """
    token = token_of(request, settings)
    visitor = None
    if token:
        async with request.state.read_sessions() as session:
            visitor = await find(session, secret_key=settings.secret_key, token=token)
    if visitor is None:
        asked = request.url.path.removeprefix(root_of(request.scope))
        asked += f"?{request.url.query}" if request.url.query else ""
        raise Elsewhere(f"{SIGN_IN}?next={quote(asked)}" if request.method in SAFE_METHODS else SIGN_IN)
    bind_contextvars(user_id=str(visitor.actor.user_id))
    # For the templates.
    request.state.visitor = visitor
    return visitor


async def get_page_actor(visitor: Annotated[Visitor, Depends(get_visitor)]) -> Actor:
    return visitor.actor


VisitorDependency = Annotated[Visitor, Depends(get_visitor)]
PageActor = Annotated[Actor, Depends(get_page_actor)]
