"""The reports in the admin, over the organizations of the user."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from ..accounts.public import organizations_of, user_id_of
from ..billing import public as billing
from ..billing.public import Scope, money
from . import exports
from .models import Report


@admin.register(Report)
class ReportAdmin(admin.ModelAdmin):
    def get_urls(self) -> list[URLPattern]:
        return [
            path("", self.admin_site.admin_view(self.changelist_view), name="reporting_report_changelist"),
            path(
                "invoices.csv",
                self.admin_site.admin_view(self.invoices_csv),
                name="reporting_report_invoices",
            ),
        ]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Allow users who may view invoices."""
        return request.user.has_perm("billing.view_invoice")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Return the page with the tables.

        Raises:
            PermissionDenied: the user may not view invoices.
        """
        scope = self._scope(request)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Revenue"),
            "by_month": [
                (row.month, money(row.amount_cents, row.currency), row.count)
                for row in billing.revenue_by_month(scope)
            ],
            "by_status": [
                (row.status, money(row.amount_cents, row.currency), row.count)
                for row in billing.revenue_by_status(scope)
            ],
        }
        return TemplateResponse(request, "reporting/report.html", context | (extra_context or {}))

    def invoices_csv(self, request: HttpRequest) -> HttpResponseBase:
        """Return all invoices as a CSV file.

        Raises:
            PermissionDenied: the user may not view invoices.
        """
        return exports.invoices_response(self._scope(request))

    def _scope(self, request: HttpRequest) -> Scope:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.user.is_superuser:
            return "every"
        return organizations_of(user_id_of(request))
