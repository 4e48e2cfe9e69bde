"""The inbox of webhooks."""

from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from ..core.database import Base

MAX_TYPE_LENGTH = 100


class Status(StrEnum):
    PENDING = "pending"
    CLAIMED = "claimed"
    DONE = "done"
    # It failed at every attempt; `flask webhooks replay` tries again.
    PARKED = "parked"
    # Its type was not handled.
    IGNORED = "ignored"


def _now() -> datetime:
    return datetime.now(UTC)


class WebhookEvent(Base):
    """A webhook as received, once per id of a provider."""

    __tablename__ = "webhooks_events"
    __table_args__ = (
        sa.UniqueConstraint("provider", "webhook_id"),
        sa.CheckConstraint(
            "status IN ('pending', 'claimed', 'done', 'parked', 'ignored')", name="status_is_known"
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    provider: Mapped[str] = mapped_column(sa.String(50))
    webhook_id: Mapped[str] = mapped_column(sa.String(255))
    type: Mapped[str] = mapped_column(sa.String(MAX_TYPE_LENGTH))
    body: Mapped[str] = mapped_column(sa.Text)
    # What it is about, as it says; to whom the admin shows it.
    invoice_id: Mapped[UUID | None] = mapped_column(index=True)
    status: Mapped[str] = mapped_column(sa.String(10))
    attempts: Mapped[int] = mapped_column(default=0)
    # When a worker may claim it: at once, at the next attempt, or when the lease of the last worker ends.
    # None when it is finished.
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    error: Mapped[str | None] = mapped_column(sa.Text)
    created_at: Mapped[datetime] = mapped_column(default=_now)
    finished_at: Mapped[datetime | None]
