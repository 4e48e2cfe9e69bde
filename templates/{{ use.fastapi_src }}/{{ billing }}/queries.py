"""What is read from the database."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from ..core import pagination
from .contracts import InvoiceDetails, InvoiceStatus
from .models import Invoice


async def page(
    session: AsyncSession,
    organization_id: UUID,
    *,
    limit: int,
    before: int | None = None,
    status: InvoiceStatus | None = None,
) -> tuple[Sequence[InvoiceDetails], str | None]:
    """An organization's invoices, the highest number first, and the cursor of the next page.

    Args:
        session: reads them.
        organization_id: whose invoices.
        limit: how many at most.
        before: only numbers below this one, which the cursor of an earlier page says.
        status: only invoices with this status.
    """
    invoices = select(Invoice).where(Invoice.organization_id == organization_id)
    if status is not None:
        invoices = invoices.where(Invoice.status == status)
    rows, following = await pagination.newest(
        session, invoices, key=Invoice.number, limit=limit, before=before
    )
    return [row.details() for row in rows], following


async def get(session: AsyncSession, organization_id: UUID, invoice_id: UUID) -> InvoiceDetails | None:
    """The organization's invoice with this id, or none."""
    invoice = await session.get(Invoice, invoice_id)
    return invoice.details() if invoice and invoice.organization_id == organization_id else None
