"""The HTTP API of reports."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from ..accounts.public import Role, actor_of, require
from ..billing.public import RevenueByMonth, RevenueByStatus, Scope
from ..core.csv_stream import csv_response
from ..core.rest import AnswerSchema, Router
from . import exports, queries

router = Router(tags=["reports"])


class RevenueByMonthList(AnswerSchema):
    items: list[RevenueByMonth]


class RevenueByStatusList(AnswerSchema):
    items: list[RevenueByStatus]


@router.get("reports/revenue-by-month", operation_id="reports_revenue_by_month", response=RevenueByMonthList)
def revenue_by_month(request: HttpRequest) -> dict[str, list[RevenueByMonth]]:
    """What was paid of the invoices of each month, the earliest first."""
    return {"items": queries.revenue_by_month(_scope(request))}


@router.get(
    "reports/revenue-by-status", operation_id="reports_revenue_by_status", response=RevenueByStatusList
)
def revenue_by_status(request: HttpRequest) -> dict[str, list[RevenueByStatus]]:
    """What was invoiced, by status."""
    return {"items": queries.revenue_by_status(_scope(request))}


@router.get(
    "reports/invoices.csv",
    operation_id="reports_invoices",
    openapi_extra={"responses": {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}},
)
def invoices(request: HttpRequest) -> HttpResponseBase:
    """All invoices, as a CSV file.

    A cell that a spreadsheet would take for a formula begins with a single quote.
    """
    return csv_response(exports.invoices_csv(_scope(request)), filename="invoices.csv")


def _scope(request: HttpRequest) -> Scope:
    actor = actor_of(request)
    require(actor, Role.VIEWER)
    return [actor.organization_id]
