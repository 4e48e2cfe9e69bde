"""The plain values that leave this module."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class InvoiceStatus(StrEnum):
    OPEN = "open"
    PAID = "paid"
    VOID = "void"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceDetails:
    id: UUID
    organization_id: UUID
    number: int
    customer: str
    amount_cents: int
    currency: str
    status: InvoiceStatus
    created_at: datetime
