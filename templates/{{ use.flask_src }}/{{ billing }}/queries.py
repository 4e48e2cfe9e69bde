"""Reads: they change nothing."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import BigInteger, literal, select

from ..extensions import db
from . import cursors
from .contracts import InvoiceDetails, InvoiceStatus
from .models import Invoice


def page(
    organization_id: UUID,
    *,
    limit: int,
    before: int | None = None,
    status: InvoiceStatus | None = None,
) -> tuple[Sequence[InvoiceDetails], str | None]:
    """An organization's invoices, the highest number first, and the cursor of the next page if there is one.

    Args:
        organization_id: whose invoices.
        limit: how many at most.
        before: only numbers below this one, which the cursor of an earlier page says.
        status: only invoices with this status.
    """
    invoices = select(Invoice).where(Invoice.organization_id == organization_id)
    if before is not None:
        # A cursor may hold more than the column does.
        invoices = invoices.where(Invoice.number < literal(before, BigInteger))
    if status is not None:
        invoices = invoices.where(Invoice.status == status)
    # One more than asked for says whether there is a next page.
    found = db.session.scalars(invoices.order_by(Invoice.number.desc()).limit(limit + 1)).all()
    rows = [invoice.details() for invoice in found[:limit]]
    return rows, cursors.encode(rows[-1].number) if len(found) > limit else None


def find(organization_id: UUID, invoice_id: UUID) -> InvoiceDetails | None:
    """The organization's invoice with this id, or none."""
    invoice = db.session.get(Invoice, invoice_id)
    return invoice.details() if invoice and invoice.organization_id == organization_id else None
