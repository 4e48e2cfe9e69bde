"""The pages of invoices: list, show, create and void.

HTMX gets the part of a page that changes; without JavaScript every link and form leads to a whole page.
"""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from ..accounts.public import Actor, at_least, require
from ..accounts.sessions import members_page
from ..core.pages import HtmxRequest
from ..core.pagination import keyset_page
from ..core.problems import Problem
from . import permissions, queries, services
from .contracts import InvoiceData, money
from .forms import NewInvoiceForm
from .models import Invoice

NAVIGATION = [(gettext_lazy("Invoices"), "invoices")]
PAGE_SIZE = 20

form_page = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@members_page
@vary_on_headers("HX-Request")
def invoices(request: HtmxRequest, actor: Actor) -> HttpResponse:
    """Show the tenant's invoices, newest first.

    HTMX gets the list for another status, and the next rows for a cursor.
    """
    require(actor, permissions.READ)
    status, cursor = request.GET.get("status"), request.GET.get("cursor")
    if status not in {None, *Invoice.Status.values}:
        raise Problem(404, _("Invoices have no such status."))
    found = queries.list_invoices(actor.organization_id, status=status)
    try:
        items, next_cursor = keyset_page(found, "number", limit=PAGE_SIZE, cursor=cursor)
    except ValueError as error:
        raise Problem(404, _("The list has no such page.")) from error
    context = {
        "rows": [_row(actor, item) for item in items],
        "next_cursor": next_cursor,
        "cursor": cursor,
        "status": status,
        "statuses": Invoice.Status.choices,
        "may_create": at_least(actor, permissions.CREATE),
    }
    template = "billing/invoices.html"
    if request.htmx:
        template = "billing/_list.html" if cursor is None else "billing/_more.html"
    return render(request, template, context)


@form_page
@members_page
def new_invoice(request: HtmxRequest, actor: Actor) -> HttpResponse:
    """Show and process the form; HTMX gets an invalid form back alone."""
    require(actor, permissions.CREATE)
    form = NewInvoiceForm(request.POST or None)
    if form.is_valid():
        try:
            created = services.create_invoice(
                actor=actor,
                customer=form.cleaned_data["customer"],
                amount_cents=form.cleaned_data["amount_cents"],
                currency=form.cleaned_data["currency"],
                idempotency_key=f"page:{form.cleaned_data['key']}",
            ).invoice
        except Problem:
            # The key was used with other values.
            form.add_error(None, _("This form was sent before. Look for its invoice, or open a new form."))
        else:
            messages.success(request, _("Invoice %d is created.") % created.number)
            return redirect("invoice-page", created.id)
    context = {"form": form, "title": _("New invoice"), "submit": _("Create invoice"), "by_htmx": True}
    return render(request, "core/_form.html" if request.htmx else "core/form.html", context)


@require_safe
@members_page
def invoice(request: HtmxRequest, actor: Actor, invoice_id: UUID) -> HttpResponse:
    require(actor, permissions.READ)
    return render(request, "billing/invoice.html", _row(actor, _found(actor, invoice_id)))


@form_page
@members_page
def void_invoice(request: HtmxRequest, actor: Actor, invoice_id: UUID) -> HttpResponse:
    """Ask for confirmation, then void the invoice. HTMX has asked already and gets the invoice's row."""
    require(actor, permissions.VOID)
    if request.method != "POST":
        return render(request, "billing/void.html", _row(actor, _found(actor, invoice_id)))
    voided = services.void_invoice(actor=actor, invoice_id=invoice_id)
    messages.success(request, _("Invoice %d is void.") % voided.number)
    if request.htmx:
        return render(request, "billing/_voided.html", {"row": _row(actor, voided)})
    return redirect("invoices")


def _found(actor: Actor, invoice_id: UUID) -> InvoiceData:
    found = queries.get_invoice(actor.organization_id, invoice_id)
    if found is None:
        raise Problem(404, _("There is no such invoice."))
    return found


def _row(actor: Actor, invoice: Invoice | InvoiceData) -> dict[str, Any]:
    """Return the context of an invoice."""
    return {
        "invoice": invoice,
        "amount": money(invoice.amount_cents, invoice.currency),
        "may_void": invoice.status == Invoice.Status.OPEN and at_least(actor, permissions.VOID),
    }


urlpatterns = [
    path("invoices", invoices, name="invoices"),
    path("invoices/new", new_invoice, name="new-invoice"),
    path("invoices/<uuid:invoice_id>", invoice, name="invoice-page"),
    path("invoices/<uuid:invoice_id>/void", void_invoice, name="void-invoice"),
]
