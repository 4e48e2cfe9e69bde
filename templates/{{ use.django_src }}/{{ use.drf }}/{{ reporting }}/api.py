"""The HTTP API of reports."""

from typing import Any

from django.http.response import HttpResponseBase
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, views
from rest_framework.request import Request
from rest_framework.response import Response

from ..accounts.public import Role, actor_of, require
from ..billing.public import Scope
from ..core.csv_stream import csv_response
from ..core.rest import AnyAccept
from . import exports, queries


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


class RevenueByMonthView(views.APIView):
    @extend_schema(operation_id="reports_revenue_by_month", responses=RevenueByMonthListSerializer)
    def get(self, request: Request) -> Response:
        """What was paid of the invoices of each month, the earliest first."""
        items = queries.revenue_by_month(_scope(request))
        return Response(RevenueByMonthListSerializer({"items": items}).data)


class RevenueByStatusView(views.APIView):
    @extend_schema(operation_id="reports_revenue_by_status", responses=RevenueByStatusListSerializer)
    def get(self, request: Request) -> Response:
        """What was invoiced, by status."""
        items = queries.revenue_by_status(_scope(request))
        return Response(RevenueByStatusListSerializer({"items": items}).data)


class InvoicesView(views.APIView):
    content_negotiation_class = AnyAccept

    @extend_schema(operation_id="reports_invoices", responses={(200, "text/csv"): OpenApiTypes.STR})
    def get(self, request: Request) -> HttpResponseBase:
        """All invoices, as a CSV file.

        A cell that a spreadsheet would take for a formula begins with a single quote.
        """
        return csv_response(exports.invoices_csv(_scope(request)), filename="invoices.csv")


def _scope(request: Request) -> Scope:
    actor = actor_of(request)
    require(actor, Role.VIEWER)
    return [actor.organization_id]


urlpatterns = [
    path("reports/revenue-by-month", RevenueByMonthView.as_view()),
    path("reports/revenue-by-status", RevenueByStatusView.as_view()),
    path("reports/invoices.csv", InvoicesView.as_view()),
]
