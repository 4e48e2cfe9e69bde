"""What is written to the database. Services flush; the request commits."""

import hashlib
import json
from typing import Any
from uuid import UUID

import structlog
from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from ..accounts.public import Actor, record
from ..core.inserts import insert_into
from . import permissions
from .contracts import InvoiceDetails, InvoiceStatus
from .errors import IdempotencyKeyReusedError, InvoiceNotFoundError, InvoiceNotOpenError
from .models import MAX_TYPE_LENGTH, IdempotencyKey, Invoice, InvoiceCounter, PaymentEvent
from .permissions import Action

PAYMENT_SUCCEEDED = "payment.succeeded"

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)
_DETAILS = TypeAdapter(InvoiceDetails)


async def create(  # noqa: PLR0913 (one argument per value)
    session: AsyncSession,
    *,
    actor: Actor,
    customer: str,
    amount_cents: int,
    currency: str,
    idempotency_key: str | None = None,
) -> InvoiceDetails:
    """Save a new invoice under the organization's next number, or repeat the answer to an earlier request.

    Raises:
        MissingRoleError: the actor's role does not allow it.
        IdempotencyKeyReusedError: the key was used for another request.
    """
    permissions.require(actor, Action.CREATE)
    values = {"customer": customer, "amount_cents": amount_cents, "currency": currency}
    # Whoever holds this lock is alone in the organization, which makes the key's check safe too.
    counter = await _locked_counter(session, actor.organization_id)
    if idempotency_key is not None:
        first = await _first_answer(session, actor.organization_id, idempotency_key, values)
        if first is not None:
            return first
    counter.last_number += 1
    invoice = Invoice(organization_id=actor.organization_id, number=counter.last_number, **values)
    session.add(invoice)
    await session.flush()
    details = invoice.details()
    if idempotency_key is not None:
        answer = IdempotencyKey(
            organization_id=actor.organization_id,
            key=idempotency_key,
            fingerprint=_fingerprint(values),
            answer=_DETAILS.dump_python(details, mode="json"),
        )
        session.add(answer)
    await _record(session, "invoice.created", details, actor, {"number": details.number, **values})
    return details


async def void(session: AsyncSession, *, actor: Actor, invoice_id: UUID) -> InvoiceDetails:
    """Void an open invoice of the actor's organization.

    Raises:
        MissingRoleError: the actor's role does not allow it.
        InvoiceNotFoundError: there is no such invoice.
        InvoiceNotOpenError: it is paid, or void already.
    """
    permissions.require(actor, Action.VOID)
    invoice = await _locked_invoice(session, invoice_id)
    if invoice is None or invoice.organization_id != actor.organization_id:
        raise InvoiceNotFoundError
    if invoice.status != InvoiceStatus.OPEN:
        raise InvoiceNotOpenError(invoice.status)
    return await _set_status(session, invoice, InvoiceStatus.VOID, "invoice.voided", actor)


async def record_payment_event(
    session: AsyncSession, *, webhook_id: str, event_type: str, body: str, invoice_id: UUID | None
) -> None:
    """Save a webhook and do what it says; one whose id was seen before changes nothing.

    Args:
        session: the caller's.
        webhook_id: the sender's id of the event.
        event_type: such as `payment.succeeded`, which marks the invoice as paid.
        body: what was sent.
        invoice_id: the invoice that the event names; none for a type that is not handled.
    """
    invoice = None if invoice_id is None else await _locked_invoice(session, invoice_id)
    saving = (
        insert_into(session, PaymentEvent)
        .values(
            webhook_id=webhook_id,
            type=event_type[:MAX_TYPE_LENGTH],
            body=body,
            invoice_id=invoice and invoice.id,
        )
        .on_conflict_do_nothing()
        .returning(PaymentEvent.webhook_id)
    )
    is_new = (await session.scalars(saving)).first() is not None
    if not is_new or event_type != PAYMENT_SUCCEEDED:
        return
    if invoice is None or invoice.status != InvoiceStatus.OPEN:
        logger.warning(
            "payment_not_applied",
            webhook_id=webhook_id,
            invoice_id=str(invoice_id),
            invoice_status="unknown" if invoice is None else invoice.status,
        )
        return
    await _set_status(session, invoice, InvoiceStatus.PAID, "invoice.paid", None)


async def _locked_counter(session: AsyncSession, organization_id: UUID) -> InvoiceCounter:
    """The organization's counter, which is there from the first time on."""
    counter = (
        insert_into(session, InvoiceCounter)
        .values(organization_id=organization_id, last_number=0)
        # Changes nothing, but locks the row and returns it.
        .on_conflict_do_update(
            index_elements=[InvoiceCounter.organization_id],
            set_={"last_number": InvoiceCounter.last_number},
        )
        .returning(InvoiceCounter)
    )
    return (await session.scalars(counter, execution_options={"populate_existing": True})).one()


async def _locked_invoice(session: AsyncSession, invoice_id: UUID) -> Invoice | None:
    return await session.get(Invoice, invoice_id, with_for_update=True)


async def _set_status(
    session: AsyncSession, invoice: Invoice, status: InvoiceStatus, action: str, actor: Actor | None
) -> InvoiceDetails:
    before, invoice.status = invoice.status, status.value
    await _record(session, action, invoice.details(), actor, {"status": [before, status.value]})
    return invoice.details()


async def _record(
    session: AsyncSession,
    action: str,
    invoice: InvoiceDetails,
    actor: Actor | None,
    changes: dict[str, object],
) -> None:
    await record(
        session,
        organization_id=invoice.organization_id,
        action=action,
        target="invoice",
        target_id=invoice.id,
        actor=actor,
        changes=changes,
    )


async def _first_answer(
    session: AsyncSession, organization_id: UUID, key: str, values: dict[str, Any]
) -> InvoiceDetails | None:
    first = await session.scalar(
        select(IdempotencyKey).where(
            IdempotencyKey.organization_id == organization_id, IdempotencyKey.key == key
        )
    )
    if first is None:
        return None
    if first.fingerprint != _fingerprint(values):
        raise IdempotencyKeyReusedError
    return _DETAILS.validate_python(first.answer)


def _fingerprint(values: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
