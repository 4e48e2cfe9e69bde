"""Reads: they change nothing."""

import hashlib
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, select

from ..extensions import db
from .contracts import Actor, Role
from .models import Membership, Organization, Token, User


class Member(NamedTuple):
    """A membership and whose it is."""

    membership: Membership
    user: User

    def actor(self) -> Actor:
        """The user as somebody who acts for the organization."""
        return Actor(
            user_id=self.user.id,
            organization_id=self.membership.organization_id,
            role=Role(self.membership.role),
            email=self.user.email,
        )


class Bearer(NamedTuple):
    """A token and the member who may use it."""

    token: Token
    member: Member


# Asked with every request, so it is built once.
_BEARER = (
    select(Token, Membership, User)
    .join(Membership, Membership.id == Token.membership_id)
    .join(User, User.id == Membership.user_id)
    .where(Token.token_hash == bindparam("token_hash"), Token.expires_at > bindparam("now"), User.is_active)
)


def normalized(email: str) -> str:
    """An address in the one form in which it is stored, so that no second user differs in case only."""
    return unicodedata.normalize("NFKC", email).strip().lower()


def digest(token: str) -> str:
    """What is stored of a token. It is random and long: unlike a password, nobody finds it by trying."""
    return hashlib.sha256(token.encode()).hexdigest()


def user_with(email: str) -> User | None:
    """The user with this address, in any case; none if there is none."""
    return db.session.scalar(select(User).where(User.email == normalized(email)))


def member_of(*, user_id: UUID, organization_id: UUID | None = None) -> Member | None:
    """The user as a member of this organization, by default of the one joined first."""
    members = select(Membership, User).join(User, User.id == Membership.user_id).where(User.id == user_id)
    if organization_id is not None:
        members = members.where(Membership.organization_id == organization_id)
    row = db.session.execute(members.order_by(Membership.created_at, Membership.id).limit(1)).first()
    return row and Member(*row)


def bearer(token: str) -> Bearer | None:
    """The member for whom a token stands; none if it is not good, or no longer."""
    row = db.session.execute(_BEARER, {"token_hash": digest(token), "now": datetime.now(UTC)}).first()
    return row and Bearer(row[0], Member(row[1], row[2]))


def tokens() -> Sequence[tuple[Token, str, str]]:
    """Every token that is good, with its user's address and its organization's name, the newest first."""
    good = (
        select(Token, User.email, Organization.name)
        .join(Membership, Membership.id == Token.membership_id)
        .join(User, User.id == Membership.user_id)
        .join(Organization, Organization.id == Membership.organization_id)
        .where(Token.expires_at > datetime.now(UTC), User.is_active)
        .order_by(Token.created_at.desc(), Token.id)
    )
    return [(token, email, organization) for token, email, organization in db.session.execute(good)]
