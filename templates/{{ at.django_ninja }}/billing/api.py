"""The HTTP API of invoices."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from ninja import Field, Header, Query, Router, Schema
from ninja.pagination import paginate
from pydantic import AfterValidator, ConfigDict, WithJsonSchema
from pydantic.config import JsonDict

from ..accounts.public import actor_of, require
from ..core.openapi import problem
from ..core.pagination import KeysetPagination
from ..core.schemas import Integer, Text
from . import models, permissions, queries, services
from .contracts import InvoiceData
from .currencies import CURRENCIES

KEY_PATTERN = "^[!-~]{1,255}$"

_EXAMPLE: JsonDict = {
    "id": "0f0ad2f6-2f4a-4c0f-9b7e-6f1f3a1f2b11",
    "number": 1,
    "customer": "Analytical Engines Ltd.",
    "amount_cents": 120050,
    "currency": "EUR",
    "status": "open",
    "created_at": "2026-01-31T12:00:00.000Z",
}
_NEW: JsonDict = {name: _EXAMPLE[name] for name in ("customer", "amount_cents", "currency")}

router = Router(tags=["billing"])


def _known_currency(code: str) -> str:
    if code not in CURRENCIES:
        raise ValueError("It must be a currency of ISO 4217.")
    return code


Currency = Annotated[
    str, AfterValidator(_known_currency), WithJsonSchema({"type": "string", "enum": sorted(CURRENCIES)})
]
# Optional parameters are left out, never null.
StatusFilter = Annotated[
    models.Invoice.Status | None,
    WithJsonSchema({"type": "string", "enum": models.Invoice.Status.values}),
    Query(None),
]
IdempotencyKey = Annotated[
    str | None,
    WithJsonSchema({"type": "string", "pattern": KEY_PATTERN}),
    Header(
        None,
        alias="Idempotency-Key",
        pattern=KEY_PATTERN,
        description="Identifies the request: repeating it returns the first response and creates nothing.",
    ),
]


class NewInvoice(Schema):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_NEW]})

    customer: Text = Field(max_length=200)
    amount_cents: Integer = Field(ge=1, le=models.MAX_AMOUNT_CENTS)
    currency: Currency


class Invoice(Schema):
    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    id: UUID
    number: int = Field(ge=1)
    customer: str
    amount_cents: int = Field(ge=1)
    currency: Currency
    status: models.Invoice.Status
    created_at: datetime


@router.get(
    "invoices",
    operation_id="billing_list_invoices",
    summary="Return the tenant's invoices, newest first.",
    response=list[Invoice],
)
@paginate(KeysetPagination, keyset="number")
def list_invoices(request: HttpRequest, status: StatusFilter) -> QuerySet[models.Invoice]:
    actor = actor_of(request)
    require(actor, permissions.READ)
    return queries.list_invoices(actor.organization_id, status=status)


@router.post(
    "invoices",
    operation_id="billing_create_invoice",
    summary="Create an invoice with the tenant's next number.",
    response={201: Invoice},
    openapi_extra={
        "responses": problem(
            409, "IdempotencyKeyReusedProblem", "The Idempotency-Key was used for another request"
        )
    },
)
def create_invoice(
    request: HttpRequest, response: HttpResponse, invoice: NewInvoice, idempotency_key: IdempotencyKey
) -> InvoiceData:
    created = services.create_invoice(
        actor=actor_of(request), idempotency_key=idempotency_key, **invoice.model_dump()
    ).invoice
    response.headers["Location"] = reverse("api:invoice", args=[created.id])
    return created


@router.get(
    "invoices/{uuid:invoice_id}",
    operation_id="billing_get_invoice",
    summary="Return an invoice.",
    url_name="invoice",
    response=Invoice,
)
def get_invoice(request: HttpRequest, invoice_id: UUID) -> models.Invoice:
    actor = actor_of(request)
    require(actor, permissions.READ)
    return get_object_or_404(queries.list_invoices(actor.organization_id), id=invoice_id)


@router.post(
    "invoices/{uuid:invoice_id}/void",
    operation_id="billing_void_invoice",
    summary="Void an open invoice.",
    response=Invoice,
    openapi_extra={"responses": problem(409, "InvoiceNotOpenProblem", "The invoice is not open")},
)
def void_invoice(request: HttpRequest, invoice_id: UUID) -> InvoiceData:
    return services.void_invoice(actor=actor_of(request), invoice_id=invoice_id)
