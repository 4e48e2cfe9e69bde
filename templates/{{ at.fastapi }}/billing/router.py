"""Routes: invoices, and the webhooks of the payment provider."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import WithJsonSchema

from ..accounts.public import MissingRoleError, MissingScopeError, Reader, Writer
from ..core.database import ReadSessionDependency, SessionDependency
from ..core.openapi import problems
from ..core.pagination import LimitQuery
from ..core.webhooks import PARAMETERS
from . import payments, queries, services
from .contracts import InvoiceStatus, PaymentEventStatus
from .cursors import CursorQuery
from .dependencies import IdempotencyKeyHeader, SignedWebhookDependency
from .errors import (
    IdempotencyKeyReusedError,
    InvalidSignatureError,
    InvoiceNotFoundError,
    InvoiceNotOpenError,
)
from .schemas import EXAMPLE, Accepted, Ignored, InvoiceIn, InvoiceOut, InvoicePage

FORBIDDEN = (MissingScopeError, MissingRoleError)
LOCATION = {"Location": {"schema": {"type": "string"}, "description": "The path of the new invoice."}}
WEBHOOK: dict[str, Any] = {
    "parameters": PARAMETERS,
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["type", "data"],
                    "properties": {
                        "type": {"type": "string", "examples": [payments.PAYMENT_SUCCEEDED]},
                        "data": {
                            "type": "object",
                            "properties": {"invoice_id": {"type": "string", "format": "uuid"}},
                        },
                    },
                    "examples": [{"type": payments.PAYMENT_SUCCEEDED, "data": {"invoice_id": EXAMPLE["id"]}}],
                },
            }
        },
    },
}

InvoiceId = Annotated[UUID, Path()]
StatusQuery = Annotated[
    InvoiceStatus | None, WithJsonSchema({"type": "string", "enum": list(InvoiceStatus)}), Query()
]

router = APIRouter(prefix="/invoices", tags=["billing"])
# Authenticated by their signature.
open_webhooks = APIRouter(prefix="/webhooks", tags=["webhooks"])


@router.get(
    "",
    summary="Return the tenant's invoices, newest first.",
    responses=problems(422, MissingScopeError),
)
async def list_invoices(
    actor: Reader,
    session: ReadSessionDependency,
    limit: LimitQuery = 50,
    cursor: CursorQuery = None,
    status: StatusQuery = None,
) -> InvoicePage:
    """A page starts after the last invoice of the page before, even if invoices were added since."""
    invoices, next_cursor = await queries.list_invoices(
        session, actor.organization_id, limit=limit, before=cursor, status=status
    )
    return InvoicePage(
        items=[InvoiceOut.model_validate(invoice) for invoice in invoices], next_cursor=next_cursor
    )


@router.post(
    "",
    summary="Create an invoice with the tenant's next number.",
    status_code=201,
    responses={201: {"headers": LOCATION}, **problems(422, IdempotencyKeyReusedError, *FORBIDDEN)},
)
async def create_invoice(  # noqa: PLR0913, PLR0917 (one argument per dependency)
    body: InvoiceIn,
    actor: Writer,
    session: SessionDependency,
    request: Request,
    response: Response,
    idempotency_key: IdempotencyKeyHeader = None,
) -> InvoiceOut:
    invoice = await services.create_invoice(
        session, actor=actor, idempotency_key=idempotency_key, **body.model_dump()
    )
    response.headers["Location"] = request.url_for("get_invoice", invoice_id=invoice.id).path
    return InvoiceOut.model_validate(invoice)


@router.get(
    "/{invoice_id}",
    summary="Return one of the tenant's invoices.",
    responses=problems(422, InvoiceNotFoundError, MissingScopeError),
)
async def get_invoice(actor: Reader, session: ReadSessionDependency, invoice_id: InvoiceId) -> InvoiceOut:
    invoice = await queries.get_invoice(session, actor.organization_id, invoice_id)
    if invoice is None:
        raise InvoiceNotFoundError
    return InvoiceOut.model_validate(invoice)


@router.post(
    "/{invoice_id}/void",
    summary="Void an open invoice.",
    responses=problems(422, InvoiceNotFoundError, InvoiceNotOpenError, *FORBIDDEN),
)
async def void_invoice(actor: Writer, session: SessionDependency, invoice_id: InvoiceId) -> InvoiceOut:
    invoice = await services.void_invoice(session, actor=actor, invoice_id=invoice_id)
    return InvoiceOut.model_validate(invoice)


@open_webhooks.post(
    "/payments",
    summary="Receive an event of the payment provider.",
    status_code=202,
    openapi_extra=WEBHOOK,
    responses=problems(400, 422, InvalidSignatureError),
)
async def receive_payment(webhook: SignedWebhookDependency, session: SessionDependency) -> Accepted | Ignored:
    """`payment.succeeded` marks an open invoice as paid.

    A payment that cannot be applied is stored and retried. A repeated delivery changes nothing.
    """
    status = await payments.receive(session, webhook_id=webhook.id, body=webhook.body)
    return Ignored() if status is PaymentEventStatus.IGNORED else Accepted()
