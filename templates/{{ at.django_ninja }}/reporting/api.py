"""The HTTP API of reports."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja import Router, Schema

from ..accounts.public import Role, actor_of, require
from ..billing import public as billing
from ..billing.public import RevenueByMonth, RevenueByStatus, Scope
from . import exports

router = Router(tags=["reports"])


class RevenueByMonthList(Schema):
    items: list[RevenueByMonth]


class RevenueByStatusList(Schema):
    items: list[RevenueByStatus]


@router.get(
    "reports/revenue-by-month",
    operation_id="reporting_revenue_by_month",
    summary="Return the sums of paid invoices per month, the earliest first.",
    response=RevenueByMonthList,
)
def revenue_by_month(request: HttpRequest) -> dict[str, list[RevenueByMonth]]:
    return {"items": billing.revenue_by_month(_scope(request))}


@router.get(
    "reports/revenue-by-status",
    operation_id="reporting_revenue_by_status",
    summary="Return the sums of all invoices per status.",
    response=RevenueByStatusList,
)
def revenue_by_status(request: HttpRequest) -> dict[str, list[RevenueByStatus]]:
    return {"items": billing.revenue_by_status(_scope(request))}


@router.get(
    "reports/invoices.csv",
    operation_id="reporting_export_invoices",
    summary="Return all invoices as a CSV file.",
    description="Cells that spreadsheets would take for formulas begin with a single quote.",
    openapi_extra={"responses": {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}},
)
def export_invoices(request: HttpRequest) -> HttpResponseBase:
    return exports.invoices_response(_scope(request))


def _scope(request: HttpRequest) -> Scope:
    actor = actor_of(request)
    require(actor, Role.VIEWER)
    return [actor.organization_id]
