"""Plain values that other modules receive."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, Self
from uuid import UUID

from .currencies import decimals

# The organizations whose rows are read. "every" is for superusers; an empty collection means none.
Scope = Collection[UUID] | Literal["every"]


@dataclass(frozen=True, slots=True)
class InvoiceData:
    id: UUID
    organization_id: UUID
    number: int
    customer: str
    amount_cents: int
    currency: str
    status: str
    created_at: datetime

    def to_json(self) -> dict[str, Any]:
        """Return the values as JSON types."""
        return asdict(self) | {
            "id": str(self.id),
            "organization_id": str(self.organization_id),
            "created_at": self.created_at.isoformat(),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Return the invoice that `to_json` was called on."""
        return cls(
            **values
            | {
                "id": UUID(values["id"]),
                "organization_id": UUID(values["organization_id"]),
                "created_at": datetime.fromisoformat(values["created_at"]),
            }
        )


@dataclass(frozen=True, slots=True)
class RevenueByMonth:
    """The paid invoices that were created in a month; `month` is its first day (UTC)."""

    month: date
    currency: str
    amount_cents: int
    count: int


@dataclass(frozen=True, slots=True)
class RevenueByStatus:
    status: str
    currency: str
    amount_cents: int
    count: int


def money(amount_cents: int, currency: str) -> str:
    """Return an amount in minor units as text, such as `1,234.50 EUR` or `123,450 JPY`."""
    places = decimals(currency)
    return f"{Decimal(amount_cents).scaleb(-places):,.{places}f} {currency}"
