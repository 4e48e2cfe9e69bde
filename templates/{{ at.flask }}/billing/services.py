"""Writes. They flush, and the request commits."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import delete, select

from ..accounts.public import Actor, Role, record, require
from ..core.inserts import insert_into
from ..extensions import db
from .contracts import InvoiceData, InvoiceStatus
from .errors import IdempotencyKeyReusedError, InvoiceNotFoundError, InvoiceNotOpenError
from .models import IdempotencyKey, Invoice, InvoiceCounter

_INVOICE_DATA = TypeAdapter(InvoiceData)


class PaymentNotAppliedError(Exception):
    """A payment is for an unknown invoice, or for one that is not open."""

    def __init__(self, invoice_id: UUID, status: str) -> None:
        super().__init__(f"Invoice {invoice_id} is {status}.")


def create_invoice(
    *, actor: Actor, customer: str, amount_cents: int, currency: str, idempotency_key: str | None = None
) -> InvoiceData:
    """Create an invoice with the tenant's next number, or return the response to an earlier request.

    Raises:
        Problem: 403, the actor's role does not allow it.
        IdempotencyKeyReusedError: the key was used for another request.
    """
    require(actor, Role.MEMBER)
    values = {"customer": customer, "amount_cents": amount_cents, "currency": currency}
    # The lock serialises the tenant's requests, so the check of the key is safe too.
    counter = _locked_counter(actor.organization_id)
    if idempotency_key is not None:
        first = _first_response(actor.organization_id, idempotency_key, values)
        if first is not None:
            return first
    counter.last_number += 1
    invoice = Invoice(organization_id=actor.organization_id, number=counter.last_number, **values)
    db.session.add(invoice)
    db.session.flush()
    data = invoice.data()
    if idempotency_key is not None:
        key = IdempotencyKey(
            organization_id=actor.organization_id,
            key=idempotency_key,
            fingerprint=_fingerprint(values),
            answer=_INVOICE_DATA.dump_python(data, mode="json"),
        )
        db.session.add(key)
    _record("invoice.created", data, actor, {"number": data.number, **values})
    return data


def void_invoice(*, actor: Actor, invoice_id: UUID) -> InvoiceData:
    """Void an open invoice of the tenant.

    Raises:
        Problem: 403, the actor's role does not allow it.
        InvoiceNotFoundError: the tenant has no such invoice.
        InvoiceNotOpenError: it is paid, or void already.
    """
    require(actor, Role.OWNER)
    invoice = _locked_invoice(invoice_id)
    if invoice is None or invoice.organization_id != actor.organization_id:
        raise InvoiceNotFoundError
    if invoice.status != InvoiceStatus.OPEN:
        raise InvoiceNotOpenError(f"Only an open invoice can be voided; this one is {invoice.status}.")
    return _set_status(invoice, InvoiceStatus.VOID, "invoice.voided", actor)


def mark_paid(invoice_id: UUID) -> None:
    """Mark an open invoice as paid.

    Raises:
        PaymentNotAppliedError: there is no such invoice, or it is not open.
    """
    invoice = _locked_invoice(invoice_id)
    if invoice is None or invoice.status != InvoiceStatus.OPEN:
        raise PaymentNotAppliedError(invoice_id, invoice.status if invoice else "unknown")
    _set_status(invoice, InvoiceStatus.PAID, "invoice.paid", None)


def delete_idempotency_keys(*, older_than: timedelta) -> int:
    """Delete old idempotency keys and return their number. A deleted key can be used again."""
    old = IdempotencyKey.created_at < datetime.now(UTC) - older_than
    return len(db.session.scalars(delete(IdempotencyKey).where(old).returning(IdempotencyKey.key)).all())


def _locked_counter(organization_id: UUID) -> InvoiceCounter:
    """Return the tenant's counter, created at first, with its row locked."""
    counter = (
        insert_into(InvoiceCounter)
        .values(organization_id=organization_id, last_number=0)
        # An update that changes nothing: it locks the row and returns it.
        .on_conflict_do_update(
            index_elements=[InvoiceCounter.organization_id],
            set_={"last_number": InvoiceCounter.last_number},
        )
        .returning(InvoiceCounter)
    )
    return db.session.scalars(counter, execution_options={"populate_existing": True}).one()


def _locked_invoice(invoice_id: UUID) -> Invoice | None:
    return db.session.get(Invoice, invoice_id, with_for_update=True)


def _set_status(invoice: Invoice, status: InvoiceStatus, action: str, actor: Actor | None) -> InvoiceData:
    before, invoice.status = invoice.status, status.value
    _record(action, invoice.data(), actor, {"status": [before, status.value]})
    return invoice.data()


def _record(action: str, invoice: InvoiceData, actor: Actor | None, changes: dict[str, object]) -> None:
    record(
        organization_id=invoice.organization_id,
        action=action,
        target="invoice",
        target_id=invoice.id,
        actor=actor,
        changes=changes,
    )


def _first_response(organization_id: UUID, key: str, values: dict[str, Any]) -> InvoiceData | None:
    first = db.session.scalar(
        select(IdempotencyKey).where(
            IdempotencyKey.organization_id == organization_id, IdempotencyKey.key == key
        )
    )
    if first is None:
        return None
    if first.fingerprint != _fingerprint(values):
        raise IdempotencyKeyReusedError
    return _INVOICE_DATA.validate_python(first.answer)


def _fingerprint(values: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
