"""What the views of this module take and answer; the contract is made of the same."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict, WithJsonSchema
from pydantic.config import JsonDict

from ..core.schemas import WHOLE, RequestBody, TrimmedText
from . import cursors
from .contracts import InvoiceStatus
from .currencies import CURRENCIES
from .models import MAX_AMOUNT_CENTS

_EXAMPLE: JsonDict = {
    "id": "0f0ad2f6-2f4a-4c0f-9b7e-6f1f3a1f2b11",
    "number": 1,
    "customer": "Analytical Engines Ltd.",
    "amount_cents": 120050,
    "currency": "EUR",
    "status": "open",
    "created_at": "2026-01-31T12:00:00Z",
}
_NEW: JsonDict = {name: _EXAMPLE[name] for name in ("customer", "amount_cents", "currency")}
_CONVERTED: JsonDict = {
    "invoice_id": _EXAMPLE["id"],
    "amount_cents": 130326,
    "currency": "USD",
    "rate": "1.0856",
    "rate_date": "2026-01-30",
}


def _known(currency: str) -> str:
    if currency not in CURRENCIES:
        raise ValueError("It must be a currency of ISO 4217.")
    return currency


Currency = Annotated[
    str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": sorted(CURRENCIES)})
]


class InvoiceIn(RequestBody):
    model_config = ConfigDict(json_schema_extra={"examples": [_NEW]})

    customer: Annotated[TrimmedText, Field(max_length=200)]
    amount_cents: Annotated[
        int,
        Strict(),
        Field(ge=1, le=MAX_AMOUNT_CENTS, description="In the currency's minor unit."),
        WHOLE,
    ]
    currency: Currency


class InvoiceOut(BaseModel):
    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [_EXAMPLE]})

    id: UUID
    number: Annotated[int, Field(ge=1)]
    customer: str
    amount_cents: Annotated[int, Field(ge=1)]
    currency: Currency
    status: InvoiceStatus
    created_at: datetime


class InvoicePage(BaseModel):
    items: list[InvoiceOut]
    next_cursor: Annotated[str | None, Field(description="None on the last page.")]


class ConvertedOut(BaseModel):
    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [_CONVERTED]})

    invoice_id: UUID
    amount_cents: Annotated[int, Field(ge=0, description="In the minor unit of the new currency.")]
    currency: Currency
    rate: Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?$", description="A decimal number.")]
    rate_date: Annotated[date, Field(description="The day of which the rate is.")]


class CreateHeaders(BaseModel):
    # None stands for what was not sent, here and below; the contract knows no null there.
    idempotency_key: Annotated[
        str | None,
        Field(pattern="^[!-~]{1,255}$"),
        WithJsonSchema({"type": "string", "pattern": "^[!-~]{1,255}$"}),
    ] = None


class ConvertQuery(BaseModel):
    currency: Currency


class ListQuery(BaseModel):
    limit: int = Field(default=50, ge=1, le=100)
    cursor: Annotated[
        int | None,
        BeforeValidator(cursors.decode),
        WithJsonSchema({"type": "string", "pattern": cursors.PATTERN}),
    ] = None
    status: Annotated[
        InvoiceStatus | None, WithJsonSchema({"type": "string", "enum": list(InvoiceStatus)})
    ] = None
