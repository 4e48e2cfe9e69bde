"""Invoices and payment events in the admin. Writes go through the services."""

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ..accounts.public import TenantAdmin
from ..core.problems import Problem
from . import permissions, services
from .contracts import money
from .currencies import CURRENCIES
from .models import Invoice, PaymentEvent


class InvoiceForm(forms.ModelForm):
    currency = forms.ChoiceField(choices=[(code, code) for code in sorted(CURRENCIES)], initial="EUR")

    class Meta:
        model = Invoice
        fields = ("organization", "customer", "amount_cents", "currency")


@admin.register(Invoice)
class InvoiceAdmin(TenantAdmin):
    form = InvoiceForm
    required_roles = {"add": permissions.CREATE}  # noqa: RUF012 (Django's style)
    actions = ("void",)
    autocomplete_fields = ("organization",)
    date_hierarchy = "created_at"
    fields = ("organization", "number", "customer", "amount_cents", "currency", "status", "created_at")
    list_display = ("number", "organization", "customer", "amount", "status", "created_at")
    list_filter = ("status", "created_at", "currency", ("organization", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("organization",)
    ordering = ("-created_at", "-number")
    readonly_fields = ("number", "status", "created_at")
    search_fields = ("customer", "=number")

    @admin.display(ordering="amount_cents", description=_("amount"))
    def amount(self, invoice: Invoice) -> str:
        return money(invoice.amount_cents, invoice.currency)

    def has_void_permission(self, request: HttpRequest) -> bool:
        """Return whether the action is offered; the service checks the role."""
        return request.user.has_perm("billing.void_invoice")

    def save_model(self, request: HttpRequest, obj: Invoice, form: forms.ModelForm, change: bool) -> None:
        """Create the invoice; existing ones are read-only."""
        created = services.create_invoice(
            actor=self.actor(request, obj.organization_id),
            customer=obj.customer,
            amount_cents=obj.amount_cents,
            currency=obj.currency,
        )
        obj.pk = created.invoice.id
        obj.refresh_from_db()

    @admin.action(permissions=["void"], description=_("Void selected invoices"))
    def void(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> None:
        done = 0
        for invoice in queryset:
            try:
                with transaction.atomic():
                    actor = self.actor(request, invoice.organization_id)
                    services.void_invoice(actor=actor, invoice_id=invoice.id)
                    self.log_change(request, invoice, [{"changed": {"fields": ["status"]}}])
            except Problem as problem:
                self.message_user(request, f"{invoice}: {problem.detail}", messages.ERROR)
            else:
                done += 1
        if done:
            self.message_user(request, _("%d invoices are void.") % done, messages.SUCCESS)


@admin.register(PaymentEvent)
class PaymentEventAdmin(TenantAdmin):
    """Payment events. Those about an unknown invoice belong to no tenant, so superusers see them."""

    organization_path = "invoice__organization"
    actions = ("replay",)
    date_hierarchy = "created_at"
    fields = (
        "webhook_id",
        "type",
        "status",
        "error",
        "attempts",
        "next_attempt_at",
        "invoice_reference",
        "invoice",
        "created_at",
        "body",
    )
    list_display = ("webhook_id", "type", "status", "error", "invoice", "created_at")
    list_filter = ("status", "type", "created_at")
    list_select_related = ("invoice",)
    ordering = ("-created_at",)
    search_fields = ("webhook_id", "=invoice_reference")

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("billing.replay_paymentevent")

    @admin.action(permissions=["replay"], description=_("Replay selected payment events"))
    def replay(self, request: HttpRequest, queryset: QuerySet[PaymentEvent]) -> None:
        for event in queryset:
            try:
                status = PaymentEvent.Status(services.replay_payment_event(event.webhook_id))
            except Problem as problem:
                self.message_user(request, f"{event}: {problem.detail}", messages.ERROR)
            else:
                self.message_user(request, f"{event}: {status.label}")
