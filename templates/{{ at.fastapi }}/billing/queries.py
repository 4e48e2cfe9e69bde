"""Reads."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from . import cursors
from .contracts import InvoiceData, InvoiceStatus
from .models import Invoice

# Built once: it is the most frequent query.
_INVOICE = select(Invoice).where(
    Invoice.organization_id == bindparam("organization_id"), Invoice.id == bindparam("invoice_id")
)


async def list_invoices(
    session: AsyncSession,
    organization_id: UUID,
    *,
    limit: int,
    before: int | None = None,
    status: InvoiceStatus | None = None,
) -> tuple[Sequence[InvoiceData], str | None]:
    """Return a page of the tenant's invoices, newest first, and the cursor of the next page.

    Args:
        session: the caller's.
        organization_id: the tenant.
        limit: the page size.
        before: only invoices with a lower number, from the cursor of the previous page.
        status: only invoices with this status.
    """
    invoices = select(Invoice).where(Invoice.organization_id == organization_id)
    if status is not None:
        invoices = invoices.where(Invoice.status == status)
    rows, next_cursor = await cursors.newest(
        session, invoices, key=Invoice.number, limit=limit, before=before
    )
    return [row.data() for row in rows], next_cursor


async def get_invoice(session: AsyncSession, organization_id: UUID, invoice_id: UUID) -> InvoiceData | None:
    """Return the tenant's invoice with this id, if there is one."""
    values = {"organization_id": organization_id, "invoice_id": invoice_id}
    invoice = await session.scalar(_INVOICE, values)
    return invoice.data() if invoice else None
