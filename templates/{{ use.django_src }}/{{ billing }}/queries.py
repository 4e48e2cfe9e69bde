"""What is read from the database. Invoices leave as plain values, which costs less than models."""

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


def page(
    *, organization_id: UUID, limit: int, before: int | None = None, status: str | None = None
) -> tuple[list[InvoiceData], int | None]:
    """An organization's invoices, the highest number first, and where the next page begins.

    Args:
        organization_id: whose invoices.
        limit: how many at most.
        before: only numbers below this one, which is what an earlier page returned.
        status: only invoices with this status.
    """
    invoices = Invoice.objects.filter(organization_id=organization_id)
    if status is not None:
        invoices = invoices.filter(status=status)
    if before is not None:
        invoices = invoices.filter(number__lt=before)
    # One more than asked for says whether there is a next page.
    rows = invoices.order_by("-number").values_list(*_COLUMNS)[: limit + 1]
    items = [InvoiceData(*row) for row in rows]
    return items[:limit], items[limit - 1].number if len(items) > limit else None


def get(organization_id: UUID, invoice_id: UUID) -> InvoiceData | None:
    """The organization's invoice with this id, or none."""
    invoices = Invoice.objects.filter(organization_id=organization_id, id=invoice_id)
    row = invoices.values_list(*_COLUMNS).first()
    return row and InvoiceData(*row)


def stream(scope: Scope) -> Iterator[InvoiceData]:
    """All invoices, ordered by organization and number, read in chunks."""
    return read(_of(scope).order_by("organization_id", "number"))


def read(invoices: QuerySet[Invoice]) -> Iterator[InvoiceData]:
    """What a query finds, read in chunks."""
    rows = invoices.values_list(*_COLUMNS).iterator(chunk_size=CHUNK_ROWS)
    return (InvoiceData(*row) for row in rows)


def revenue_by_month(scope: Scope) -> list[RevenueByMonth]:
    """What was paid, per month and currency, the earliest month first."""
    rows = (
        _of(scope)
        .filter(status=Invoice.Status.PAID)
        .annotate(month=TruncMonth("created_at", output_field=DateField(), tzinfo=UTC))
        .values("month", "currency")
        .annotate(amount=Sum("amount_cents"), count=Count("id"))
        .order_by("month", "currency")
    )
    return [RevenueByMonth(*row) for row in rows.values_list("month", "currency", "amount", "count")]


def revenue_by_status(scope: Scope) -> list[RevenueByStatus]:
    """What was invoiced, per status and currency."""
    rows = (
        _of(scope)
        .values("status", "currency")
        .annotate(amount=Sum("amount_cents"), count=Count("id"))
        .order_by("status", "currency")
    )
    return [RevenueByStatus(*row) for row in rows.values_list("status", "currency", "amount", "count")]


def _of(scope: Scope) -> QuerySet[Invoice]:
    return Invoice.objects.all() if scope == "every" else Invoice.objects.filter(organization_id__in=scope)
