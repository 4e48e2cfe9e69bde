"""Reads from the database."""

from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC
from uuid import UUID

from django.db.models import Count, DateField, QuerySet, Sum
from django.db.models.functions import TruncMonth

from .contracts import InvoiceData, RevenueByMonth, RevenueByStatus, Scope
from .models import Invoice

CHUNK_ROWS = 2000
_COLUMNS = [field.name for field in fields(InvoiceData)]


def list_invoices(organization_id: UUID, *, status: str | None = None) -> QuerySet[Invoice]:
    """Return the tenant's invoices, to be paged by their number.

    Args:
        organization_id: the tenant.
        status: only invoices with this status.
    """
    invoices = Invoice.objects.filter(organization_id=organization_id)
    return invoices if status is None else invoices.filter(status=status)


def get_invoice(organization_id: UUID, invoice_id: UUID) -> InvoiceData | None:
    """Return the tenant's invoice with this id; None if there is none."""
    try:
        return InvoiceData(*list_invoices(organization_id).values_list(*_COLUMNS).get(id=invoice_id))
    except Invoice.DoesNotExist:
        return None


def stream_invoices(scope: Scope) -> Iterator[InvoiceData]:
    """Return all invoices in the order of their numbers, read in chunks."""
    rows = _scoped(scope).order_by("organization_id", "number").values_list(*_COLUMNS)
    return (InvoiceData(*row) for row in rows.iterator(chunk_size=CHUNK_ROWS))


def revenue_by_month(scope: Scope) -> list[RevenueByMonth]:
    """Return the sums of paid invoices per month and currency, the earliest month first."""
    rows = (
        _scoped(scope)
        .filter(status=Invoice.Status.PAID)
        .annotate(month=TruncMonth("created_at", output_field=DateField(), tzinfo=UTC))
        .values("month", "currency")
        .annotate(amount=Sum("amount_cents"), count=Count("id"))
        .order_by("month", "currency")
    )
    return [RevenueByMonth(*row) for row in rows.values_list("month", "currency", "amount", "count")]


def revenue_by_status(scope: Scope) -> list[RevenueByStatus]:
    """Return the sums of all invoices per status and currency."""
    rows = (
        _scoped(scope)
        .values("status", "currency")
        .annotate(amount=Sum("amount_cents"), count=Count("id"))
        .order_by("status", "currency")
    )
    return [RevenueByStatus(*row) for row in rows.values_list("status", "currency", "amount", "count")]


def _scoped(scope: Scope) -> QuerySet[Invoice]:
    return Invoice.objects.all() if scope == "every" else Invoice.objects.filter(organization_id__in=scope)
