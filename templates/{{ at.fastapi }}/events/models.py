"""The event log, and the newest id of each organization."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from ..core.database import Base

# Events per organization; older ones are deleted with every hundredth new one.
KEPT = 10_000
DELETE_EVERY = 100


def _now() -> datetime:
    return datetime.now(UTC)


class EventEntry(Base):
    __tablename__ = "events_log"

    organization_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("accounts_organizations.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    type: Mapped[str] = mapped_column(sa.String(100))
    data: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    created_at: Mapped[datetime] = mapped_column(default=_now)


class EventCounter(Base):
    """The newest id of an organization; locked until the event with that id is committed."""

    __tablename__ = "events_counters"

    organization_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("accounts_organizations.id", ondelete="CASCADE"), primary_key=True
    )
    last_id: Mapped[int] = mapped_column(sa.BigInteger)
