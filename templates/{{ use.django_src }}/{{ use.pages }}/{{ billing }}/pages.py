"""The pages: an organization's invoices, to look at, to add to and to void.

HTMX gets the part of a page that changes; without JavaScript every link and form leads to a whole one.
"""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from ..accounts.public import Actor, members_page
from ..core.pages import HtmxRequest
from ..core.problems import Problem
from . import cursors, permissions, queries, services
from .contracts import InvoiceData, money
from .forms import NewInvoiceForm
from .models import Invoice
from .permissions import Action

PAGE_SIZE = 20

form_page = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@members_page
@vary_on_headers("HX-Request")
def invoices(request: HtmxRequest, actor: Actor) -> HttpResponse:
    """The organization's invoices, the newest first.

    HTMX gets the list for another status, and only the next rows for a cursor.
    """
    permissions.require(actor, Action.READ)
    status, cursor = request.GET.get("status"), request.GET.get("cursor")
    if status not in {None, *Invoice.Status.values}:
        raise Problem(404, "Invoices have no such status.")
    items, last = queries.page(
        organization_id=actor.organization_id, limit=PAGE_SIZE, before=_number(cursor), status=status
    )
    context = {
        "rows": [_row(actor, item) for item in items],
        "next_cursor": None if last is None else cursors.encode(last),
        "cursor": cursor,
        "status": status,
        "statuses": Invoice.Status.choices,
        "may_create": permissions.may(actor, Action.CREATE),
    }
    template = "billing/invoices.html"
    if request.htmx:
        template = "billing/_list.html" if cursor is None else "billing/_more.html"
    return render(request, template, context)


@form_page
@members_page
def new_invoice(request: HtmxRequest, actor: Actor) -> HttpResponse:
    """The form for an invoice, which HTMX gets back alone when something is wrong with it."""
    permissions.require(actor, Action.CREATE)
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
            # The key is known, with other values.
            form.add_error(None, "This form was sent before. Look for its invoice, or open a new form.")
        else:
            messages.success(request, f"Invoice {created.number} is created.")
            return redirect("invoice-page", created.id)
    context = {"form": form, "title": "New invoice", "submit": "Create invoice", "by_htmx": True}
    return render(request, "core/_form.html" if request.htmx else "core/form.html", context)


@require_safe
@members_page
def invoice(request: HtmxRequest, actor: Actor, invoice_id: UUID) -> HttpResponse:
    permissions.require(actor, Action.READ)
    return render(request, "billing/invoice.html", _row(actor, _found(actor, invoice_id)))


@form_page
@members_page
def void_invoice(request: HtmxRequest, actor: Actor, invoice_id: UUID) -> HttpResponse:
    """Ask whether it is meant, then void the invoice; HTMX has asked, and gets the invoice's row."""
    permissions.require(actor, Action.VOID)
    if request.method != "POST":
        return render(request, "billing/void.html", _row(actor, _found(actor, invoice_id)))
    voided = services.void_invoice(actor=actor, invoice_id=invoice_id)
    messages.success(request, f"Invoice {voided.number} is void.")
    if request.htmx:
        return render(request, "billing/_voided.html", {"row": _row(actor, voided)})
    return redirect("invoices")


def _found(actor: Actor, invoice_id: UUID) -> InvoiceData:
    found = queries.get(actor.organization_id, invoice_id)
    if found is None:
        raise Problem(404, "There is no such invoice.")
    return found


def _row(actor: Actor, invoice: InvoiceData) -> dict[str, Any]:
    """An invoice as a page shows it."""
    return {
        "invoice": invoice,
        "amount": money(invoice.amount_cents, invoice.currency),
        "may_void": invoice.status == Invoice.Status.OPEN and permissions.may(actor, Action.VOID),
    }


def _number(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    try:
        return cursors.decode(cursor)
    except ValueError as error:
        raise Problem(404, "The list has no such page.") from error


urlpatterns = [
    path("invoices", invoices, name="invoices"),
    path("invoices/new", new_invoice, name="new-invoice"),
    path("invoices/<uuid:invoice_id>", invoice, name="invoice-page"),
    path("invoices/<uuid:invoice_id>/void", void_invoice, name="void-invoice"),
]
