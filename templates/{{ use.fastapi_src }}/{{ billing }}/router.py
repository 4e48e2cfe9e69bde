"""The routes of this module: invoices, and what payment providers tell."""

from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError, WithJsonSchema

from ..accounts.public import MissingRoleError, MissingScopeError, Reader, Writer
from ..core.database import SessionDependency
from ..core.openapi import problems
from ..core.pagination import CursorQuery, LimitQuery
from ..core.webhooks import PARAMETERS
from . import permissions, queries, services
from .contracts import InvoiceStatus
from .dependencies import IdempotencyKeyHeader, SignedWebhookDependency
from .errors import (
    IdempotencyKeyReusedError,
    InvalidSignatureError,
    InvoiceNotFoundError,
    InvoiceNotOpenError,
)
from .permissions import Action
from .schemas import EXAMPLE, Accepted, Event, Ignored, InvoiceIn, InvoiceOut, InvoicePage, PaymentSucceeded

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
                        "type": {"type": "string", "examples": [services.PAYMENT_SUCCEEDED]},
                        "data": {
                            "type": "object",
                            "properties": {"invoice_id": {"type": "string", "format": "uuid"}},
                        },
                    },
                    "examples": [{"type": services.PAYMENT_SUCCEEDED, "data": {"invoice_id": EXAMPLE["id"]}}],
                },
            }
        },
    },
}

EventType = TypeVar("EventType", bound=Event)
InvoiceId = Annotated[UUID, Path(alias="id")]
# None stands for what was not sent; the contract knows no null here.
StatusQuery = Annotated[
    InvoiceStatus | None, WithJsonSchema({"type": "string", "enum": list(InvoiceStatus)}), Query()
]

router = APIRouter(prefix="/invoices", tags=["invoices"])
# The signature says who it is.
webhooks = APIRouter(prefix="/webhooks", tags=["webhooks"])


@router.get("", name="list", responses=problems(422, *FORBIDDEN))
async def list_newest(
    actor: Reader,
    session: SessionDependency,
    limit: LimitQuery = 50,
    cursor: CursorQuery = None,
    status: StatusQuery = None,
) -> InvoicePage:
    """The organization's invoices, the newest first.

    A page continues where the one before ended, also when invoices were added meanwhile.
    """
    permissions.require(actor, Action.READ)
    found, following = await queries.page(
        session, actor.organization_id, limit=limit, before=cursor, status=status
    )
    return InvoicePage(items=[InvoiceOut.model_validate(each) for each in found], next_cursor=following)


@router.post(
    "",
    status_code=201,
    responses={201: {"headers": LOCATION}, **problems(422, IdempotencyKeyReusedError, *FORBIDDEN)},
)
async def create(
    invoice: InvoiceIn,
    actor: Writer,
    session: SessionDependency,
    response: Response,
    idempotency_key: IdempotencyKeyHeader = None,
) -> InvoiceOut:
    """Create an invoice, which gets the organization's next number."""
    created = await services.create(
        session, actor=actor, idempotency_key=idempotency_key, **invoice.model_dump()
    )
    response.headers["Location"] = f"/api/v1/invoices/{created.id}"
    return InvoiceOut.model_validate(created)


@router.get("/{id}", responses=problems(422, InvoiceNotFoundError, *FORBIDDEN))
async def get(actor: Reader, session: SessionDependency, invoice_id: InvoiceId) -> InvoiceOut:
    """One of the organization's invoices."""
    permissions.require(actor, Action.READ)
    found = await queries.get(session, actor.organization_id, invoice_id)
    if found is None:
        raise InvoiceNotFoundError
    return InvoiceOut.model_validate(found)


@router.post(
    "/{id}/void",
    responses=problems(422, InvoiceNotFoundError, InvoiceNotOpenError, *FORBIDDEN),
)
async def void(actor: Writer, session: SessionDependency, invoice_id: InvoiceId) -> InvoiceOut:
    """Void an invoice that is open."""
    return InvoiceOut.model_validate(await services.void(session, actor=actor, invoice_id=invoice_id))


@webhooks.post(
    "/payments",
    status_code=202,
    openapi_extra=WEBHOOK,
    responses=problems(400, 422, InvalidSignatureError),
)
async def payments(webhook: SignedWebhookDependency, session: SessionDependency) -> Accepted | Ignored:
    """Take an event of the payment provider, after the Standard Webhooks scheme.

    `payment.succeeded` marks an open invoice as paid. An event that comes again changes nothing.
    """
    event = read(Event, webhook.body)
    handled = event.type == services.PAYMENT_SUCCEEDED
    await services.record_payment_event(
        session,
        webhook_id=webhook.id,
        event_type=event.type,
        body=webhook.body.decode(),
        invoice_id=read(PaymentSucceeded, webhook.body).data.invoice_id if handled else None,
    )
    return Accepted() if handled else Ignored()


def read(event: type[EventType], body: bytes) -> EventType:
    """The event in a body.

    Raises:
        RequestValidationError: there is none, or not such a one.
    """
    try:
        return event.model_validate_json(body)
    except ValidationError as error:
        raise RequestValidationError(
            [{**each, "loc": ("body", *each["loc"])} for each in error.errors()]
        ) from error
