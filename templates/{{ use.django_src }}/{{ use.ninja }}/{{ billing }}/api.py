"""The HTTP API of invoices."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Query
from ninja.params.functions import Header
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.config import JsonDict

from ..accounts.public import actor_of
from ..core.problems import Problem
from ..core.rest import AnswerSchema, JsonInteger, JsonText, LimitQuery, Router, StrictSchema, problem_answer
from . import cursors, models, permissions, queries, services
from .contracts import InvoiceData
from .currencies import CURRENCIES
from .permissions import Action

KEY_PATTERN = "^[!-~]{1,255}$"

_EXAMPLE: JsonDict = {
    "id": "0f0ad2f6-2f4a-4c0f-9b7e-6f1f3a1f2b11",
    "number": 1,
    "customer": "Analytical Engines Ltd.",
    "amount_cents": 120050,
    "currency": "EUR",
    "status": "open",
    "created_at": "2026-01-31T12:00:00.000000Z",
}
_NEW: JsonDict = {name: _EXAMPLE[name] for name in ("customer", "amount_cents", "currency")}

_FORBIDDEN = problem_answer("The role in the organization does not allow it")
_LOCATION = {"Location": {"schema": {"type": "string"}, "description": "The path of the new invoice."}}


def _known(currency: str) -> str:
    if currency not in CURRENCIES:
        raise ValueError("It must be a currency of ISO 4217.")
    return currency


_CURRENCY = WithJsonSchema({"type": "string", "enum": sorted(CURRENCIES)})
_STATUS = WithJsonSchema({"type": "string", "enum": models.Invoice.Status.values})

_CURSOR = WithJsonSchema({"type": "string", "pattern": cursors.PATTERN})
_KEY = WithJsonSchema({"type": "string", "pattern": KEY_PATTERN})
_KEY_MEANING = "Chosen by the client: a repeated request gets the first answer again, and nothing twice."

router = Router(tags=["invoices"])


class NewInvoiceRequest(StrictSchema):
    model_config = ConfigDict(json_schema_extra={"examples": [_NEW]})

    customer: JsonText = Field(max_length=200)
    amount_cents: JsonInteger = Field(ge=1, le=models.MAX_AMOUNT_CENTS)
    currency: Annotated[str, AfterValidator(_known), _CURRENCY]


class Invoice(AnswerSchema):
    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    id: UUID
    number: int = Field(ge=1)
    customer: str
    amount_cents: int = Field(ge=1)
    currency: Annotated[str, _CURRENCY]
    status: Annotated[str, _STATUS]
    created_at: datetime


class InvoiceList(AnswerSchema):
    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_EXAMPLE], "next_cursor": None}]})

    items: list[Invoice]
    next_cursor: str | None = Field(description="None on the last page.")


class InvoiceQuery(LimitQuery):
    # None stands for what was not sent; the contract knows no null here.
    cursor: Annotated[int | None, BeforeValidator(cursors.decode), _CURSOR] = Field(
        None, description="The `next_cursor` of the page before."
    )
    status: Annotated[models.Invoice.Status | None, _STATUS] = None


@router.get("invoices", operation_id="invoices_list", response=InvoiceList)
def page(request: HttpRequest, query: Query[InvoiceQuery]) -> dict[str, object]:
    """The organization's invoices, the newest first.

    A page continues where the one before ended, also when invoices were added meanwhile.
    """
    actor = actor_of(request)
    permissions.require(actor, Action.READ)
    items, last = queries.page(
        organization_id=actor.organization_id, limit=query.limit, before=query.cursor, status=query.status
    )
    return {"items": items, "next_cursor": None if last is None else cursors.encode(last)}


@router.post(
    "invoices",
    operation_id="invoices_create",
    response={201: Invoice},
    openapi_extra={
        "responses": {
            201: {"headers": _LOCATION},
            403: _FORBIDDEN,
            409: problem_answer("The Idempotency-Key was used for another request"),
        }
    },
)
def create(
    request: HttpRequest,
    response: HttpResponse,
    invoice: NewInvoiceRequest,
    idempotency_key: Annotated[
        str | None, _KEY, Header(None, alias="Idempotency-Key", pattern=KEY_PATTERN, description=_KEY_MEANING)
    ],
) -> InvoiceData:
    """Create an invoice, which gets the organization's next number."""
    created = services.create_invoice(
        actor=actor_of(request), idempotency_key=idempotency_key, **invoice.model_dump()
    ).invoice
    response.headers["Location"] = reverse("api:invoice", args=[created.id])
    return created


@router.get("invoices/{uuid:invoice_id}", operation_id="invoices_get", url_name="invoice", response=Invoice)
def get(request: HttpRequest, invoice_id: UUID) -> InvoiceData:
    """One of the organization's invoices."""
    actor = actor_of(request)
    permissions.require(actor, Action.READ)
    invoice = queries.get(actor.organization_id, invoice_id)
    if invoice is None:
        raise Problem(404, "There is no such invoice.")
    return invoice


@router.post(
    "invoices/{uuid:invoice_id}/void",
    operation_id="invoices_void",
    response=Invoice,
    openapi_extra={"responses": {403: _FORBIDDEN, 409: problem_answer("The invoice is not open")}},
)
def void(request: HttpRequest, invoice_id: UUID) -> InvoiceData:
    """Void an invoice that is open."""
    return services.void_invoice(actor=actor_of(request), invoice_id=invoice_id)
