"""Writes to the database. Each function is one transaction, or part of its caller's."""

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import cast
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from ..accounts.public import Actor, record, require
from ..core.problems import Problem
from . import permissions
from .contracts import InvoiceData
from .errors import IdempotencyKeyReusedError, InvoiceNotOpenError
from .models import IdempotencyKey, Invoice, InvoiceCounter, PaymentEvent

logger = structlog.get_logger(__name__)

MAX_TYPE_LENGTH = 100
PAYMENT_SUCCEEDED = "payment.succeeded"
# The waits between the attempts to apply a payment; after the last one it is parked.
RETRY_DELAYS = [timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360, 720)]


@dataclass(frozen=True, slots=True)
class Created:
    """An invoice as it was created; `replayed` if an earlier request with the same key created it."""

    invoice: InvoiceData
    replayed: bool


@transaction.atomic
def create_invoice(
    *, actor: Actor, customer: str, amount_cents: int, currency: str, idempotency_key: str | None = None
) -> Created:
    """Create an invoice with the tenant's next number; a repeated request returns the first invoice.

    Args:
        actor: a member of the tenant.
        customer: the customer's name.
        amount_cents: the amount in minor units of the currency.
        currency: an ISO 4217 code.
        idempotency_key: identifies the request; None creates an invoice in any case.

    Raises:
        Problem: 403, the actor's role is too low; 409, the key was used for a different request.
        ValidationError: a value is not valid.
    """
    require(actor, permissions.CREATE)
    invoice = Invoice(
        organization_id=actor.organization_id,
        customer=customer,
        amount_cents=amount_cents,
        currency=currency,
    )
    invoice.clean_fields(exclude={"organization", "number"})
    # The lock serializes the tenant's creations, so checking the key is free of races.
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
    """Void an open invoice.

    Raises:
        Problem: 403, the actor's role is too low; 404, the tenant has no such invoice; 409, it is not open.
    """
    require(actor, permissions.VOID)
    invoice = _locked_invoice(organization_id=actor.organization_id, id=invoice_id)
    if invoice is None:
        raise Problem(404, "There is no such invoice.")
    if invoice.status != Invoice.Status.OPEN:
        raise InvoiceNotOpenError(409, f"Only an open invoice can be voided; this one is {invoice.status}.")
    _set_status(invoice, Invoice.Status.VOID, "invoice.voided", actor)
    return _data(invoice)


@transaction.atomic
def mark_paid(*, invoice_id: UUID) -> InvoiceData:
    """Mark an open invoice as paid.

    Raises:
        Problem: 404, there is no such invoice; 409, it is not open.
    """
    invoice = _locked_invoice(id=invoice_id)
    if invoice is None:
        raise Problem(404, "There is no such invoice.")
    if invoice.status != Invoice.Status.OPEN:
        raise InvoiceNotOpenError(409, f"Only an open invoice can be paid; this one is {invoice.status}.")
    _set_status(invoice, Invoice.Status.PAID, "invoice.paid", None)
    return _data(invoice)


def delete_idempotency_keys(*, older_than: timedelta) -> int:
    """Delete idempotency keys and return how many there were."""
    old = IdempotencyKey.objects.filter(created_at__lt=timezone.now() - older_than)
    return old.delete()[0]


@transaction.atomic
def receive_payment_event(*, webhook_id: str, event_type: str, body: str, invoice_id: UUID | None) -> None:
    """Store a webhook and apply it; a repeated delivery of the same id changes nothing.

    Args:
        webhook_id: the provider's id of the event.
        event_type: `payment.succeeded` marks the invoice as paid, other types are stored and ignored.
        body: the request body.
        invoice_id: the invoice that the event names.
    """
    handled = event_type == PAYMENT_SUCCEEDED
    event, is_new = PaymentEvent.objects.get_or_create(
        webhook_id=webhook_id,
        defaults={
            "type": event_type[:MAX_TYPE_LENGTH],
            "body": body,
            "invoice_reference": invoice_id,
            "status": PaymentEvent.Status.PENDING if handled else PaymentEvent.Status.IGNORED,
        },
    )
    if is_new and handled:
        _apply(event)


def retry_payments() -> int:
    """Apply the pending payments whose next attempt is due and return how many were tried."""
    tried = 0
    while True:
        with transaction.atomic():
            due = PaymentEvent.objects.filter(
                status=PaymentEvent.Status.PENDING, next_attempt_at__lte=timezone.now()
            )
            event = due.select_for_update(skip_locked=True).order_by("next_attempt_at").first()
            if event is None:
                return tried
            _apply(event)
        tried += 1


@transaction.atomic
def replay_payment_event(webhook_id: str, *, force: bool = False) -> str:
    """Apply a stored event again and return its new status.

    Args:
        webhook_id: the provider's id of the event.
        force: also if the event is done.

    Raises:
        Problem: 404, there is no such event; 409, it is done.
    """
    event = PaymentEvent.objects.select_for_update().filter(webhook_id=webhook_id).first()
    if event is None:
        raise Problem(404, "There is no such payment event.")
    if event.status == PaymentEvent.Status.DONE and not force:
        raise Problem(409, "The payment event is done.")
    if event.type == PAYMENT_SUCCEEDED:
        event.attempts = 0
        _apply(event)
    return event.status


def _apply(event: PaymentEvent) -> None:
    """Mark the event's invoice as paid; if that is not possible, schedule a retry or park the event."""
    invoice_id = cast("UUID", event.invoice_reference)
    event.invoice = Invoice.objects.filter(id=invoice_id).first()
    event.attempts += 1
    event.next_attempt_at = None
    try:
        mark_paid(invoice_id=invoice_id)
    except Problem as problem:
        event.error = problem.detail
        if event.attempts > len(RETRY_DELAYS):
            event.status = PaymentEvent.Status.PARKED
        else:
            event.status = PaymentEvent.Status.PENDING
            event.next_attempt_at = timezone.now() + RETRY_DELAYS[event.attempts - 1]
        logger.warning(
            "payment_not_applied", webhook_id=event.webhook_id, status=event.status, error=event.error
        )
    else:
        event.error = ""
        event.status = PaymentEvent.Status.DONE
    event.save()


def _locked_counter(organization_id: UUID) -> InvoiceCounter:
    counters = InvoiceCounter.objects.select_for_update().filter(organization_id=organization_id)
    counter = counters.first()
    if counter is None:
        # Concurrent first requests may all insert; one row wins and the others wait for its lock.
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
        raise IdempotencyKeyReusedError(409, "This key was used for another request.")
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
