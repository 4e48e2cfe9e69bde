"""Reads."""

import hashlib
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Select, and_, bindparam, or_, select

from ..core.tenancy import select_for
from ..extensions import db
from . import cursors
from .addresses import normalize_email
from .contracts import Actor, Role, Scope
from .cursors import Position
from .models import Invitation, Membership, Organization, Token, User
from .permissions import scopes_of

# A prefix by which secret scanners find leaked tokens, and which rejects others without a query.
TOKEN_PREFIX = "tok_"  # noqa: S105


class Member(NamedTuple):
    """A membership and its user."""

    membership: Membership
    user: User

    def actor(self) -> Actor:
        """Return the user as the actor in this organization."""
        return Actor(
            user_id=self.user.id,
            organization_id=self.membership.organization_id,
            role=Role(self.membership.role),
            email=self.user.email,
        )


class Bearer(NamedTuple):
    """The actor that a token stands for, and its scopes."""

    actor: Actor
    scopes: frozenset[Scope]


# Built once, since every API request runs it.
_BEARER = (
    select(User.id, Membership.organization_id, Membership.role, User.email, Token.scope)
    .select_from(Token)
    .join(Membership, Membership.id == Token.membership_id)
    .join(User, User.id == Membership.user_id)
    .where(Token.token_hash == bindparam("token_hash"), Token.expires_at > bindparam("now"), User.is_active)
)


def digest(token: str) -> str:
    """Return the hash under which a token is stored. A random token needs no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def user_with(email: str) -> User | None:
    """Return the user with an address, whatever its case."""
    return db.session.scalar(select(User).where(User.email == normalize_email(email)))


def member_of(*, user_id: UUID, organization_id: UUID | None = None) -> Member | None:
    """Return the user's membership in an organization; by default in the one joined first."""
    members = select(Membership, User).join(User, User.id == Membership.user_id).where(User.id == user_id)
    if organization_id is not None:
        members = members.where(Membership.organization_id == organization_id)
    row = db.session.execute(members.order_by(Membership.created_at, Membership.id).limit(1)).first()
    return row and Member(*row)


def memberships_of(user_id: UUID) -> Sequence[tuple[Membership, str]]:
    """Return the user's memberships with the organizations' names, oldest first."""
    memberships = (
        select(Membership, Organization.name)
        .join(Organization, Organization.id == Membership.organization_id)
        .where(Membership.user_id == user_id)
        .order_by(Membership.created_at, Membership.id)
    )
    return [(membership, name) for membership, name in db.session.execute(memberships)]


def list_members(
    organization_id: UUID, *, limit: int, after: Position | None = None
) -> tuple[Sequence[Member], str | None]:
    """Return a page of the tenant's members, oldest first, and the cursor of the next (keyset pagination).

    Args:
        organization_id: the tenant.
        limit: the size of the page.
        after: where the last page ended, from its cursor.
    """
    members = members_of(organization_id)
    if after is not None:
        same_time = and_(Membership.created_at == after.created_at, Membership.id > after.id)
        members = members.where(or_(Membership.created_at > after.created_at, same_time))
    # One more than asked for tells whether there is a next page.
    members = members.order_by(Membership.created_at, Membership.id).limit(limit + 1)
    found = [Member(*row) for row in db.session.execute(members)]
    rows = found[:limit]
    if len(found) <= limit:
        return rows, None
    last = rows[-1].membership
    return rows, cursors.encode(Position(last.created_at, last.id))


def members_of(organization_id: UUID) -> Select[Membership, User]:
    """Return a SELECT of the tenant's members."""
    members = select(Membership, User).join(User, User.id == Membership.user_id)
    return members.where(Membership.organization_id == organization_id)


def open_invitations(actor: Actor) -> Select[Invitation]:
    """Return a SELECT of the tenant's invitations that are neither accepted nor revoked, oldest first."""
    invitations = select_for(actor, Invitation).where(
        Invitation.accepted_at.is_(None), Invitation.revoked_at.is_(None)
    )
    return invitations.order_by(Invitation.created_at, Invitation.id)


def find_bearer(token: str) -> Bearer | None:
    """Return who a token stands for; None if it is unknown or has expired."""
    if not token.startswith(TOKEN_PREFIX):
        return None
    with autocommit() as connection:
        row = connection.execute(_BEARER, {"token_hash": digest(token), "now": datetime.now(UTC)}).first()
    if row is None:
        return None
    user_id, organization_id, role, email, scope = row
    actor = Actor(user_id=user_id, organization_id=organization_id, role=Role(role), email=email)
    return Bearer(actor, frozenset(map(Scope, scope.split())) & scopes_of(actor.role))


def autocommit() -> AbstractContextManager[Connection]:
    """Return a connection of its own, on which a SELECT is one round trip and nothing is held afterwards."""
    return db.engine.connect().execution_options(isolation_level="AUTOCOMMIT")


def tokens() -> Sequence[tuple[Token, str, str]]:
    """Return the tokens in force, newest first, with the user's address and the organization's name."""
    valid = (
        select(Token, User.email, Organization.name)
        .join(Membership, Membership.id == Token.membership_id)
        .join(User, User.id == Membership.user_id)
        .join(Organization, Organization.id == Membership.organization_id)
        .where(Token.expires_at > datetime.now(UTC), User.is_active)
        .order_by(Token.created_at.desc(), Token.id)
    )
    return [(token, email, organization) for token, email, organization in db.session.execute(valid)]
