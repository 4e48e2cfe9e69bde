"""Reads."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import BigInteger, Select, literal, select

from ..extensions import db
from . import cursors
from .contracts import InvoiceData, InvoiceStatus
from .models import Invoice


def list_invoices(
    organization_id: UUID,
    *,
    limit: int,
    before: int | None = None,
    status: InvoiceStatus | None = None,
) -> tuple[Sequence[InvoiceData], str | None]:
    """Return a page of the tenant's invoices, newest first, and the cursor of the next (keyset pagination).

    Args:
        organization_id: the tenant.
        limit: the size of the page.
        before: the number after which the last page ended, from its cursor.
        status: only invoices with this status.
    """
    invoices = select(Invoice).where(Invoice.organization_id == organization_id)
    if before is not None:
        # A cursor can hold a larger number than the column.
        invoices = invoices.where(Invoice.number < literal(before, BigInteger))
    if status is not None:
        invoices = invoices.where(Invoice.status == status)
    # One more than asked for tells whether there is a next page.
    found = db.session.scalars(invoices.order_by(Invoice.number.desc()).limit(limit + 1)).all()
    rows = [invoice.data() for invoice in found[:limit]]
    return rows, cursors.encode(rows[-1].number) if len(found) > limit else None


def get_invoice(organization_id: UUID, invoice_id: UUID) -> InvoiceData | None:
    """Return the tenant's invoice with this id; None if there is none."""
    invoice = db.session.get(Invoice, invoice_id)
    return invoice.data() if invoice and invoice.organization_id == organization_id else None


def invoice_ids(organizations: Collection[UUID]) -> Select[UUID]:
    """Return a subquery of the ids of these tenants' invoices."""
    return select(Invoice.id).where(Invoice.organization_id.in_(organizations))
