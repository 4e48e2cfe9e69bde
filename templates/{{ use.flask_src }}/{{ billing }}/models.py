"""Invoices, and what is remembered to number them and to repeat answers."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from ..core.database import Base
from .contracts import InvoiceDetails, InvoiceStatus

MAX_AMOUNT_CENTS = 10**12


def _now() -> datetime:
    return datetime.now(UTC)


class Invoice(Base):
    __tablename__ = "billing_invoices"
    __table_args__ = (
        sa.UniqueConstraint("organization_id", "number"),
        sa.CheckConstraint("amount_cents > 0", name="amount_is_positive"),
        sa.CheckConstraint("status IN ('open', 'paid', 'void')", name="status_is_known"),
        sa.Index(None, "organization_id", "status", "number"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    # No index of its own: the unique constraint begins with it.
    organization_id: Mapped[UUID] = mapped_column(sa.ForeignKey("accounts_organizations.id"))
    number: Mapped[int]
    customer: Mapped[str] = mapped_column(sa.String(200))
    # In the currency's minor unit: cents of EUR, whole JPY, thousandths of BHD.
    amount_cents: Mapped[int] = mapped_column(sa.BigInteger)
    currency: Mapped[str] = mapped_column(sa.String(3))
    status: Mapped[str] = mapped_column(sa.String(4), default=InvoiceStatus.OPEN)
    created_at: Mapped[datetime] = mapped_column(default=_now)

    def details(self) -> InvoiceDetails:
        """The values that may leave this module."""
        return InvoiceDetails(
            id=self.id,
            organization_id=self.organization_id,
            number=self.number,
            customer=self.customer,
            amount_cents=self.amount_cents,
            currency=self.currency,
            status=InvoiceStatus(self.status),
            created_at=self.created_at,
        )


class InvoiceCounter(Base):
    """The last number that an organization gave; its row is locked while the next one is given."""

    __tablename__ = "billing_counters"

    organization_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("accounts_organizations.id"), primary_key=True
    )
    last_number: Mapped[int]


class IdempotencyKey(Base):
    """The first answer to a request that may be repeated."""

    __tablename__ = "billing_idempotency"

    organization_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("accounts_organizations.id"), primary_key=True
    )
    key: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    # SHA-256 of the request, in hexadecimal: the same key with another request is an error.
    fingerprint: Mapped[str] = mapped_column(sa.String(64))
    answer: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    created_at: Mapped[datetime] = mapped_column(default=_now)
