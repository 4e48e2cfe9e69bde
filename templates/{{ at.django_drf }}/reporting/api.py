"""The HTTP API of reports."""

from typing import Any

from django.http.response import HttpResponseBase
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, views
from rest_framework.request import Request
from rest_framework.response import Response

from ..accounts.permissions import RolePermission
from ..accounts.public import Role, actor_of
from ..billing import public as billing
from ..billing.public import Scope
from . import exports


class RevenueByMonthSerializer(serializers.Serializer[Any]):
    month = serializers.DateField(help_text="The month's first day.")
    currency = serializers.CharField()
    amount_cents = serializers.IntegerField()
    count = serializers.IntegerField()


class RevenueByMonthListSerializer(serializers.Serializer[Any]):
    items = RevenueByMonthSerializer(many=True)


class RevenueByStatusSerializer(serializers.Serializer[Any]):
    status = serializers.CharField()
    currency = serializers.CharField()
    amount_cents = serializers.IntegerField()
    count = serializers.IntegerField()


class RevenueByStatusListSerializer(serializers.Serializer[Any]):
    items = RevenueByStatusSerializer(many=True)


class ReportView(views.APIView):
    permission_classes = (RolePermission,)
    required_roles = {"get": Role.VIEWER}  # noqa: RUF012 (REST framework's style)

    def scope(self) -> Scope:
        """Return the tenant of the request."""
        return [actor_of(self.request).organization_id]


@extend_schema(tags=["reports"])
class RevenueByMonthView(ReportView):
    @extend_schema(operation_id="reporting_revenue_by_month", responses=RevenueByMonthListSerializer)
    def get(self, _request: Request) -> Response:
        """Return the sums of paid invoices per month, the earliest first."""
        items = billing.revenue_by_month(self.scope())
        return Response(RevenueByMonthListSerializer({"items": items}).data)


@extend_schema(tags=["reports"])
class RevenueByStatusView(ReportView):
    @extend_schema(operation_id="reporting_revenue_by_status", responses=RevenueByStatusListSerializer)
    def get(self, _request: Request) -> Response:
        """Return the sums of all invoices per status."""
        items = billing.revenue_by_status(self.scope())
        return Response(RevenueByStatusListSerializer({"items": items}).data)


@extend_schema(tags=["reports"])
class InvoicesView(ReportView):
    @extend_schema(operation_id="reporting_export_invoices", responses={(200, "text/csv"): OpenApiTypes.STR})
    def get(self, _request: Request) -> HttpResponseBase:
        """Return all invoices as a CSV file.

        Cells that spreadsheets would take for formulas begin with a single quote.
        """
        return exports.invoices_response(self.scope())


urlpatterns = [
    path("reports/revenue-by-month", RevenueByMonthView.as_view()),
    path("reports/revenue-by-status", RevenueByStatusView.as_view()),
    path("reports/invoices.csv", InvoicesView.as_view()),
]
