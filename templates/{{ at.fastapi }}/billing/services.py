"""Writes. Services flush; the request commits."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from ..accounts.public import Actor, Role, record, require
from ..core.changes import Change, announce
from ..core.inserts import insert_into
from .contracts import InvoiceData, InvoiceStatus
from .errors import IdempotencyKeyReusedError, InvoiceNotFoundError, InvoiceNotOpenError
from .models import IdempotencyKey, Invoice, InvoiceCounter
from .schemas import InvoiceOut

_DATA = TypeAdapter(InvoiceData)


async def create_invoice(  # noqa: PLR0913 (one argument per value)
    session: AsyncSession,
    *,
    actor: Actor,
    customer: str,
    amount_cents: int,
    currency: str,
    idempotency_key: str | None = None,
) -> InvoiceData:
    """Create an invoice with the tenant's next number, or return the one that the key has created before.

    Raises:
        MissingRoleError: the actor is not a member.
        IdempotencyKeyReusedError: the key was used for another request.
    """
    require(actor, Role.MEMBER)
    values = {"customer": customer, "amount_cents": amount_cents, "currency": currency}
    # The lock serializes the tenant's requests, so the idempotency key is checked safely too.
    counter = await _lock_counter(session, actor.organization_id)
    if idempotency_key is not None:
        first = await _find_response(session, actor.organization_id, idempotency_key, values)
        if first is not None:
            return first
    counter.last_number += 1
    invoice = Invoice(organization_id=actor.organization_id, number=counter.last_number, **values)
    session.add(invoice)
    await session.flush()
    data = invoice.data()
    if idempotency_key is not None:
        response = IdempotencyKey(
            organization_id=actor.organization_id,
            key=idempotency_key,
            fingerprint=_fingerprint(values),
            answer=_DATA.dump_python(data, mode="json"),
        )
        session.add(response)
    await _record(session, "invoice.created", data, actor, {"number": data.number, **values})
    return data


async def void_invoice(session: AsyncSession, *, actor: Actor, invoice_id: UUID) -> InvoiceData:
    """Void an open invoice of the actor's tenant.

    Raises:
        MissingRoleError: the actor is not an owner.
        InvoiceNotFoundError: there is no such invoice.
        InvoiceNotOpenError: it is paid or void.
    """
    require(actor, Role.OWNER)
    invoice = await session.get(Invoice, invoice_id, with_for_update=True)
    if invoice is None or invoice.organization_id != actor.organization_id:
        raise InvoiceNotFoundError
    return await _close(session, invoice, InvoiceStatus.VOID, "invoice.voided", actor)


async def mark_paid(session: AsyncSession, *, invoice_id: UUID) -> InvoiceData:
    """Mark an open invoice as paid.

    Raises:
        InvoiceNotFoundError: there is no such invoice.
        InvoiceNotOpenError: it is paid or void.
    """
    invoice = await session.get(Invoice, invoice_id, with_for_update=True)
    if invoice is None:
        raise InvoiceNotFoundError
    return await _close(session, invoice, InvoiceStatus.PAID, "invoice.paid", None)


async def delete_idempotency_keys(session: AsyncSession, *, older_than: timedelta) -> int:
    """Delete idempotency keys that are older, and return their number."""
    expired = delete(IdempotencyKey).where(IdempotencyKey.created_at < datetime.now(UTC) - older_than)
    return len((await session.scalars(expired.returning(IdempotencyKey.key))).all())


async def _lock_counter(session: AsyncSession, organization_id: UUID) -> InvoiceCounter:
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


async def _close(
    session: AsyncSession, invoice: Invoice, status: InvoiceStatus, action: str, actor: Actor | None
) -> InvoiceData:
    if invoice.status != InvoiceStatus.OPEN:
        raise InvoiceNotOpenError(invoice.status)
    before, invoice.status = invoice.status, status.value
    await _record(session, action, invoice.data(), actor, {"status": [before, status.value]})
    return invoice.data()


async def _record(
    session: AsyncSession,
    action: str,
    invoice: InvoiceData,
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
    data = InvoiceOut.model_validate(invoice).model_dump(mode="json")
    await announce(session, Change(invoice.organization_id, action, data))


async def _find_response(
    session: AsyncSession, organization_id: UUID, key: str, values: dict[str, Any]
) -> InvoiceData | None:
    first = await session.scalar(
        select(IdempotencyKey).where(
            IdempotencyKey.organization_id == organization_id, IdempotencyKey.key == key
        )
    )
    if first is None:
        return None
    if first.fingerprint != _fingerprint(values):
        raise IdempotencyKeyReusedError
    return _DATA.validate_python(first.answer)


def _fingerprint(values: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
