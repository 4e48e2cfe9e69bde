"""Writes: they flush, and the boundary of the request commits."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from uuid import UUID

import structlog
from pydantic import TypeAdapter
from sqlalchemy import delete, select

from ..accounts.public import Actor, Role, record, require
from ..core.inserts import insert_into
from ..core.problems import Problem
from ..extensions import db
from .contracts import InvoiceDetails, InvoiceStatus
from .models import IdempotencyKey, Invoice, InvoiceCounter

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)
_DETAILS = TypeAdapter(InvoiceDetails)


def create(
    *, actor: Actor, customer: str, amount_cents: int, currency: str, idempotency_key: str | None = None
) -> InvoiceDetails:
    """Save a new invoice under the organization's next number, or repeat the answer to an earlier request.

    Raises:
        Problem: 403 if the actor's role does not allow it, 409 if the key was used for another request.
    """
    require(actor, Role.MEMBER)
    values = {"customer": customer, "amount_cents": amount_cents, "currency": currency}
    # Whoever holds this lock is alone in the organization, which makes the key's check safe too.
    counter = _locked_counter(actor.organization_id)
    if idempotency_key is not None:
        first = _first_answer(actor.organization_id, idempotency_key, values)
        if first is not None:
            return first
    counter.last_number += 1
    invoice = Invoice(organization_id=actor.organization_id, number=counter.last_number, **values)
    db.session.add(invoice)
    db.session.flush()
    details = invoice.details()
    if idempotency_key is not None:
        answer = IdempotencyKey(
            organization_id=actor.organization_id,
            key=idempotency_key,
            fingerprint=_fingerprint(values),
            answer=_DETAILS.dump_python(details, mode="json"),
        )
        db.session.add(answer)
    _record("invoice.created", details, actor, {"number": details.number, **values})
    return details


def void(*, actor: Actor, invoice_id: UUID) -> InvoiceDetails:
    """Void an open invoice of the actor's organization.

    Raises:
        Problem: 403 if the actor's role does not allow it, 404 if there is no such invoice, 409 if it is
            paid, or void already.
    """
    require(actor, Role.OWNER)
    invoice = _locked_invoice(invoice_id)
    if invoice is None or invoice.organization_id != actor.organization_id:
        raise not_found()
    if invoice.status != InvoiceStatus.OPEN:
        raise Problem(
            HTTPStatus.CONFLICT, f"Only an open invoice can be voided; this one is {invoice.status}."
        )
    return _set_status(invoice, InvoiceStatus.VOID, "invoice.voided", actor)


def mark_paid(invoice_id: UUID, *, event: str) -> bool:
    """Mark an open invoice as paid; whether it was open.

    Args:
        invoice_id: the one that was paid.
        event: what told so, for the log.
    """
    invoice = _locked_invoice(invoice_id)
    if invoice is None or invoice.status != InvoiceStatus.OPEN:
        logger.warning(
            "payment_not_applied",
            event_id=event,
            invoice_id=str(invoice_id),
            invoice_status="unknown" if invoice is None else invoice.status,
        )
        return False
    _set_status(invoice, InvoiceStatus.PAID, "invoice.paid", None)
    return True


def forget_answers(*, older_than: timedelta) -> int:
    """Delete the idempotency keys that are older, after which they may be used anew; how many there were."""
    old = IdempotencyKey.created_at < datetime.now(UTC) - older_than
    return len(db.session.scalars(delete(IdempotencyKey).where(old).returning(IdempotencyKey.key)).all())


def not_found() -> Problem:
    """The same for another organization's invoice, so that nobody learns that it is there."""
    return Problem(HTTPStatus.NOT_FOUND, "There is no such invoice.")


def _locked_counter(organization_id: UUID) -> InvoiceCounter:
    """The organization's counter, which is there from the first time on."""
    counter = (
        insert_into(InvoiceCounter)
        .values(organization_id=organization_id, last_number=0)
        # Changes nothing, but locks the row and returns it.
        .on_conflict_do_update(
            index_elements=[InvoiceCounter.organization_id],
            set_={"last_number": InvoiceCounter.last_number},
        )
        .returning(InvoiceCounter)
    )
    return db.session.scalars(counter, execution_options={"populate_existing": True}).one()


def _locked_invoice(invoice_id: UUID) -> Invoice | None:
    return db.session.get(Invoice, invoice_id, with_for_update=True)


def _set_status(invoice: Invoice, status: InvoiceStatus, action: str, actor: Actor | None) -> InvoiceDetails:
    before, invoice.status = invoice.status, status.value
    _record(action, invoice.details(), actor, {"status": [before, status.value]})
    return invoice.details()


def _record(action: str, invoice: InvoiceDetails, actor: Actor | None, changes: dict[str, object]) -> None:
    record(
        organization_id=invoice.organization_id,
        action=action,
        target="invoice",
        target_id=invoice.id,
        actor=actor,
        changes=changes,
    )


def _first_answer(organization_id: UUID, key: str, values: dict[str, Any]) -> InvoiceDetails | None:
    first = db.session.scalar(
        select(IdempotencyKey).where(
            IdempotencyKey.organization_id == organization_id, IdempotencyKey.key == key
        )
    )
    if first is None:
        return None
    if first.fingerprint != _fingerprint(values):
        raise Problem(HTTPStatus.CONFLICT, "This Idempotency-Key was used for another request.")
    return _DETAILS.validate_python(first.answer)


def _fingerprint(values: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
