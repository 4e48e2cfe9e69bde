"""Users, the organizations that they are in, the tokens of the API, and the audit trail."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from ..core.database import Base


def _now() -> datetime:
    return datetime.now(UTC)


class User(Base):
    __tablename__ = "accounts_users"
    __table_args__ = (sa.CheckConstraint("email = lower(email)", name="email_is_lower_case"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    email: Mapped[str] = mapped_column(sa.String(254), unique=True)
    password_hash: Mapped[str] = mapped_column(sa.String(255))
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=_now)


class Organization(Base):
    __tablename__ = "accounts_organizations"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str] = mapped_column(sa.String(200))
    created_at: Mapped[datetime] = mapped_column(default=_now)


class Membership(Base):
    """A user in an organization. A token stands for one of these."""

    __tablename__ = "accounts_memberships"
    __table_args__ = (
        sa.UniqueConstraint("user_id", "organization_id"),
        sa.CheckConstraint("role IN ('viewer', 'member', 'owner')", name="role_is_known"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    # No index of its own: the unique constraint begins with it.
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("accounts_users.id", ondelete="CASCADE"))
    organization_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("accounts_organizations.id", ondelete="CASCADE"), index=True
    )
    role: Mapped[str] = mapped_column(sa.String(20))
    created_at: Mapped[datetime] = mapped_column(default=_now)


class Token(Base):
    """A token that was given out, as its hash: for a password, or by `flask tokens create`."""

    __tablename__ = "accounts_tokens"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    membership_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("accounts_memberships.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str] = mapped_column(sa.String(100))
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    scope: Mapped[str] = mapped_column(sa.String(100))
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(default=_now)


class SignInAttempts(Base):
    """How often somebody failed to sign in, by a hash of the address and the client."""

    __tablename__ = "accounts_sign_in_attempts"

    key: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    count: Mapped[int]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class AuditEntry(Base):
    """Who wrote what, when, for which organization; never changed and never deleted."""

    __tablename__ = "accounts_audit"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    organization_id: Mapped[UUID] = mapped_column(sa.ForeignKey("accounts_organizations.id"), index=True)
    actor_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("accounts_users.id", ondelete="SET NULL"))
    action: Mapped[str] = mapped_column(sa.String(100))
    target: Mapped[str] = mapped_column(sa.String(100))
    target_id: Mapped[UUID]
    changes: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    request_id: Mapped[str] = mapped_column(sa.String(64))
    created_at: Mapped[datetime] = mapped_column(default=_now, index=True)
