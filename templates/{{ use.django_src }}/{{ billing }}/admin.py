"""Invoices and payment events in the admin: to look up, to add and to void, each as the role allows.

What is written goes through the services, so that it is numbered, checked and recorded like anything else.
"""

from dataclasses import astuple, fields
from typing import cast
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import ForeignKey, Model, QuerySet
from django.http import HttpRequest, StreamingHttpResponse

from ..accounts.public import Actor, acting_for, organizations_of
from ..core.csv_stream import csv_chunks, csv_response
from ..core.problems import Problem
from . import permissions, queries, services
from .contracts import InvoiceData, money
from .currencies import CURRENCIES
from .models import Invoice, PaymentEvent
from .permissions import Action


def _user_id(request: HttpRequest) -> UUID:
    # The admin lets in nobody who is not signed in.
    return cast("UUID", cast("AbstractBaseUser", request.user).pk)


def _actor(request: HttpRequest, organization_id: UUID) -> Actor:
    actor = acting_for(_user_id(request), organization_id)
    if actor is None:
        raise Problem(403, "You are not a member of this organization.")
    return actor


def _organizations(request: HttpRequest, action: Action) -> list[UUID]:
    """Where the user may do it."""
    user_id = _user_id(request)
    actors = (acting_for(user_id, organization_id) for organization_id in organizations_of(user_id))
    return [actor.organization_id for actor in actors if actor and permissions.may(actor, action)]


class ReadOnly(admin.ModelAdmin):
    """Shows what belongs to the organizations of the user; nobody changes or deletes it."""

    organization_path = "organization"
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        rows = super().get_queryset(request)
        if request.user.is_superuser:
            return rows
        # Every role may read.
        return rows.filter(**{f"{self.organization_path}__in": organizations_of(_user_id(request))})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class InvoiceForm(forms.ModelForm):
    currency = forms.ChoiceField(choices=[(code, code) for code in sorted(CURRENCIES)], initial="EUR")

    class Meta:
        model = Invoice
        fields = ("organization", "customer", "amount_cents", "currency")


@admin.register(Invoice)
class InvoiceAdmin(ReadOnly):
    form = InvoiceForm
    actions = ("void", "export")
    autocomplete_fields = ("organization",)
    date_hierarchy = "created_at"
    fields = ("organization", "number", "customer", "amount_cents", "currency", "status", "created_at")
    list_display = ("number", "organization", "customer", "amount", "status", "created_at")
    list_filter = ("status", "created_at", "currency", ("organization", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("organization",)
    ordering = ("-created_at", "-number")
    readonly_fields = ("number", "status", "created_at")
    search_fields = ("customer", "=number")

    @admin.display(ordering="amount_cents")
    def amount(self, invoice: Invoice) -> str:
        return money(invoice.amount_cents, invoice.currency)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return admin.ModelAdmin.has_add_permission(self, request)

    def has_void_permission(self, request: HttpRequest) -> bool:
        """Whether the action is offered; the role in the invoice's organization is checked as well."""
        return request.user.has_perm("billing.void_invoice")

    def formfield_for_foreignkey(
        self, db_field: ForeignKey, request: HttpRequest, **kwargs: object
    ) -> forms.ModelChoiceField | None:
        """The choice of organizations; it also checks what comes back, which may be any id."""
        if db_field.name == "organization" and not request.user.is_superuser:
            organizations = db_field.related_model._default_manager  # noqa: SLF001 (its public name)
            kwargs["queryset"] = organizations.filter(pk__in=_organizations(request, Action.CREATE))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Invoice, form: forms.ModelForm, change: bool) -> None:
        """Create what the form says; there is no form for what exists."""
        created = services.create_invoice(
            actor=_actor(request, obj.organization_id),
            customer=obj.customer,
            amount_cents=obj.amount_cents,
            currency=obj.currency,
        )
        obj.pk = created.invoice.id
        obj.refresh_from_db()

    @admin.action(permissions=["void"], description="Void selected invoices")
    def void(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> None:
        done = 0
        for invoice in queryset:
            try:
                with transaction.atomic():
                    services.void_invoice(
                        actor=_actor(request, invoice.organization_id), invoice_id=invoice.id
                    )
                    self.log_change(request, invoice, [{"changed": {"fields": ["status"]}}])
            except Problem as problem:
                self.message_user(request, f"{invoice}: {problem.detail}", messages.ERROR)
            else:
                done += 1
        if done:
            self.message_user(request, f"{done} voided.", messages.SUCCESS)

    @admin.action(permissions=["view"], description="Export selected invoices")
    def export(self, _request: HttpRequest, queryset: QuerySet[Invoice]) -> StreamingHttpResponse:
        header = [field.name for field in fields(InvoiceData)]
        rows = (astuple(invoice) for invoice in queries.read(queryset))
        return csv_response(csv_chunks(header, rows), filename="invoices.csv")


@admin.register(PaymentEvent)
class PaymentEventAdmin(ReadOnly):
    date_hierarchy = "created_at"
    fields = ("webhook_id", "type", "invoice", "created_at", "body")
    list_display = ("webhook_id", "type", "invoice", "created_at")
    list_filter = ("type", "created_at")
    list_select_related = ("invoice",)
    ordering = ("-created_at",)
    # An event about no invoice is nobody's, and for superusers only.
    organization_path = "invoice__organization"
    search_fields = ("webhook_id", "=invoice__id")
