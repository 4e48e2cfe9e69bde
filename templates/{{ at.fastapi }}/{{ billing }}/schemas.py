"""Request and response bodies."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import typing_extensions
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, WithJsonSchema
from pydantic.config import JsonDict

from ..core.pagination import Page, encode
from ..core.schemas import WHOLE, RequestBody, Text, TrimmedText
from .contracts import InvoiceStatus
from .currencies import CURRENCIES
from .models import MAX_AMOUNT_CENTS

EXAMPLE: JsonDict = {
    "id": "0f0ad2f6-2f4a-4c0f-9b7e-6f1f3a1f2b11",
    "number": 1,
    "customer": "Analytical Engines Ltd.",
    "amount_cents": 120050,
    "currency": "EUR",
    "status": "open",
    "created_at": "2026-01-31T12:00:00Z",
}
_NEW: JsonDict = {name: EXAMPLE[name] for name in ("customer", "amount_cents", "currency")}


def _check_currency(currency: str) -> str:
    if currency not in CURRENCIES:
        raise ValueError("It must be a currency of ISO 4217.")
    return currency


# As an alias it is a component of its own in the OpenAPI document.
Currency = typing_extensions.TypeAliasType(
    "Currency",
    Annotated[
        str, AfterValidator(_check_currency), WithJsonSchema({"type": "string", "enum": sorted(CURRENCIES)})
    ],
)


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
    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [EXAMPLE]})

    id: UUID
    number: Annotated[int, Field(ge=1)]
    customer: str
    amount_cents: Annotated[int, Field(ge=1)]
    currency: Currency
    status: InvoiceStatus
    created_at: datetime


class InvoicePage(Page[InvoiceOut]):
    """Newest first."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"items": [EXAMPLE], "next_cursor": encode(1)}]}
    )


class Event(BaseModel):
    """The fields of every event; senders may add others."""

    type: Text


class PaymentData(BaseModel):
    invoice_id: UUID


class PaymentSucceeded(Event):
    data: PaymentData


class Accepted(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"accepted": True}]})

    accepted: Literal[True] = True


class Ignored(BaseModel):
    """The response to types that are not handled."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"ignored": True}]})

    ignored: Literal[True] = True
