"""What is written to the database. Each function is one transaction, or a part of its caller's."""

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from ..accounts.public import Actor, record
from ..core.problems import Problem
from . import permissions
from .contracts import InvoiceData
from .models import IdempotencyKey, Invoice, InvoiceCounter, PaymentEvent
from .permissions import Action

log = structlog.get_logger(__name__)

# As much as is stored of what another service may call its events.
MAX_TYPE_LENGTH = 100
PAYMENT_SUCCEEDED = "payment.succeeded"


@dataclass(frozen=True, slots=True)
class Created:
    """An invoice as it was when it was created; `replayed` if that was for an earlier request."""

    invoice: InvoiceData
    replayed: bool


@transaction.atomic
def create_invoice(
    *, actor: Actor, customer: str, amount_cents: int, currency: str, idempotency_key: str | None = None
) -> Created:
    """Save a new invoice under the organization's next number, or repeat the answer to an earlier request.

    Raises:
        Problem: 403, the actor's role does not allow it; 409, the key was used for another request.
        ValidationError: a value is not valid.
    """
    permissions.require(actor, Action.CREATE)
    invoice = Invoice(
        organization_id=actor.organization_id,
        customer=customer,
        amount_cents=amount_cents,
        currency=currency,
    )
    invoice.clean_fields(exclude={"organization", "number"})
    # Whoever holds this lock is alone in the organization, which makes the key's check safe too.
    counter = _locked_counter(actor.organization_id)
    fingerprint = _fingerprint(customer=customer, amount_cents=amount_cents, currency=currency)
    if idempotency_key is not None:
        first = _first_answer(actor.organization_id, idempotency_key, fingerprint)
        if first is not None:
            return Created(first, replayed=True)
    counter.last_number += 1
    counter.save(update_fields=["last_number"])
    invoice.number = counter.last_number
    invoice.save(force_insert=True)
    data = _data(invoice)
    if idempotency_key is not None:
        IdempotencyKey.objects.create(
            organization_id=actor.organization_id,
            key=idempotency_key,
            fingerprint=fingerprint,
            body=data.to_json(),
        )
    changes = {
        "number": data.number,
        "customer": customer,
        "amount_cents": amount_cents,
        "currency": currency,
    }
    _record("invoice.created", invoice, actor, changes)
    return Created(data, replayed=False)


@transaction.atomic
def void_invoice(*, actor: Actor, invoice_id: UUID) -> InvoiceData:
    """Void an open invoice of the actor's organization.

    Raises:
        Problem: 403, the actor's role does not allow it; 404, there is no such invoice; 409, it is not open.
    """
    permissions.require(actor, Action.VOID)
    invoice = _locked_invoice(organization_id=actor.organization_id, id=invoice_id)
    if invoice is None:
        raise Problem(404, "There is no such invoice.")
    if invoice.status != Invoice.Status.OPEN:
        raise Problem(409, f"Only an open invoice can be voided; this one is {invoice.status}.")
    _set_status(invoice, Invoice.Status.VOID, "invoice.voided", actor)
    return _data(invoice)


def forget_answers(*, older_than: timedelta) -> int:
    """Delete the answers that are kept for a repeated `Idempotency-Key`, and say how many there were."""
    old = IdempotencyKey.objects.filter(created_at__lt=timezone.now() - older_than)
    return old.delete()[0]


@transaction.atomic
def record_payment_event(*, webhook_id: str, event_type: str, body: str, invoice_id: UUID | None) -> None:
    """Save a webhook and do what it says; one whose id was seen before changes nothing.

    Args:
        webhook_id: the sender's id of the event.
        event_type: such as `payment.succeeded`, which marks the invoice as paid.
        body: what was sent.
        invoice_id: the invoice that the event names; none for a type that is not handled.
    """
    invoice = None if invoice_id is None else _locked_invoice(id=invoice_id)
    _, is_new = PaymentEvent.objects.get_or_create(
        webhook_id=webhook_id,
        defaults={"type": event_type[:MAX_TYPE_LENGTH], "body": body, "invoice": invoice},
    )
    if not is_new or event_type != PAYMENT_SUCCEEDED:
        return
    if invoice is None or invoice.status != Invoice.Status.OPEN:
        status = "unknown" if invoice is None else invoice.status
        log.warning(
            "payment_not_applied", webhook_id=webhook_id, invoice_id=invoice_id, invoice_status=status
        )
        return
    _set_status(invoice, Invoice.Status.PAID, "invoice.paid", None)


def _locked_counter(organization_id: UUID) -> InvoiceCounter:
    counters = InvoiceCounter.objects.select_for_update().filter(organization_id=organization_id)
    counter = counters.first()
    if counter is None:
        # Two requests may both come here first; one row is what they then wait for.
        row = InvoiceCounter(organization_id=organization_id)
        InvoiceCounter.objects.bulk_create([row], ignore_conflicts=True)
        counter = counters.get()
    return counter


def _locked_invoice(**which: UUID) -> Invoice | None:
    return Invoice.objects.select_for_update().filter(**which).first()


def _set_status(invoice: Invoice, status: Invoice.Status, action: str, actor: Actor | None) -> None:
    before = invoice.status
    invoice.status = status.value
    invoice.save(update_fields=["status"])
    _record(action, invoice, actor, {"status": [before, invoice.status]})


def _record(action: str, invoice: Invoice, actor: Actor | None, changes: dict[str, object]) -> None:
    record(
        organization_id=invoice.organization_id,
        action=action,
        target="invoice",
        target_id=invoice.id,
        actor=actor,
        changes=changes,
    )


def _fingerprint(**request: str | int) -> str:
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()


def _first_answer(organization_id: UUID, key: str, fingerprint: str) -> InvoiceData | None:
    first = IdempotencyKey.objects.filter(organization_id=organization_id, key=key).first()
    if first is None:
        return None
    if first.fingerprint != fingerprint:
        raise Problem(409, "This key was used for another request.")
    return InvoiceData.from_json(first.body)


def _data(invoice: Invoice) -> InvoiceData:
    return InvoiceData(
        id=invoice.id,
        organization_id=invoice.organization_id,
        number=invoice.number,
        customer=invoice.customer,
        amount_cents=invoice.amount_cents,
        currency=invoice.currency,
        status=str(invoice.status),
        created_at=invoice.created_at,
    )
