"""Pages: the tenant's invoices.

HTMX replaces a part of the page; without JavaScript every link and form loads a whole one.
"""

from collections.abc import Mapping
from http import HTTPStatus
from uuid import UUID, uuid4

from flask import Blueprint, Response, request

from ..accounts.public import Role, at_least, current_actor, require
from ..core.browsers import by_htmx, go, page, read_form
from ..core.problems import Problem
from . import cursors, queries, services
from .contracts import InvoiceData, InvoiceStatus
from .currencies import CURRENCIES
from .errors import InvoiceNotFoundError
from .forms import InvoiceForm
from .money import money

PAGE_SIZE = 20
NAVIGATION = [("Invoices", "/invoices")]

pages = Blueprint("billing-pages", __name__, url_prefix="/invoices", template_folder="templates")
pages.add_app_template_global(money)


@pages.get("")
def invoices() -> Response:
    """List the invoices, newest first.

    Raises:
        Problem: 404, there is no such status or page.
    """
    asked = request.args
    try:
        status = InvoiceStatus(asked["status"]) if "status" in asked else None
        before = cursors.decode(asked["cursor"]) if "cursor" in asked else None
    except ValueError as error:
        raise Problem(HTTPStatus.NOT_FOUND, "There is no such list of invoices.") from error
    found, following = queries.list_invoices(
        current_actor().organization_id, limit=PAGE_SIZE, before=before, status=status
    )
    return page(
        "billing/invoices.html",
        invoices=found,
        next_cursor=following,
        status=status,
        statuses=list(InvoiceStatus),
        # Focus the first row that HTMX adds.
        focus=before is not None and by_htmx(),
        may_create=at_least(current_actor(), Role.MEMBER),
        may_void=_may_void(),
    )


@pages.get("/new")
def new_invoice() -> Response:
    require(current_actor(), Role.MEMBER)
    return _form({"key": str(uuid4()), "currency": "EUR"})


@pages.post("/new")
def create_invoice() -> Response:
    require(current_actor(), Role.MEMBER)
    form = read_form(InvoiceForm)
    if form.data is None:
        return _form(form.values, form.errors)
    try:
        created = services.create_invoice(
            actor=current_actor(),
            customer=form.data.customer,
            amount_cents=form.data.amount,
            currency=form.data.currency,
            idempotency_key=f"page:{form.data.key}",
        )
    except Problem:
        # The key is known, with other values.
        sent_before = "This form was sent before. Look for its invoice, or open a new form."
        return _form(form.values, {"": sent_before})
    return go(f"/invoices/{created.id}")


@pages.get("/<uuid:invoice_id>")
def invoice(invoice_id: UUID) -> Response:
    return page("billing/invoice.html", invoice=_found(invoice_id), may_void=_may_void())


@pages.get("/<uuid:invoice_id>/void")
def ask_to_void(invoice_id: UUID) -> Response:
    """Ask whether it is meant."""
    require(current_actor(), Role.OWNER)
    return page("billing/void.html", invoice=_found(invoice_id))


@pages.post("/<uuid:invoice_id>/void")
def void(invoice_id: UUID) -> Response:
    """Void an invoice; HTMX has asked whether it is meant, and gets the invoice's row."""
    voided = services.void_invoice(actor=current_actor(), invoice_id=invoice_id)
    if by_htmx():
        return page("billing/_voided.html", invoice=voided)
    return go(f"/invoices/{invoice_id}")


def _may_void() -> bool:
    return at_least(current_actor(), Role.OWNER)


def _found(invoice_id: UUID) -> InvoiceData:
    found = queries.get_invoice(current_actor().organization_id, invoice_id)
    if found is None:
        raise InvoiceNotFoundError
    return found


def _form(values: Mapping[str, str], errors: Mapping[str, str] | None = None) -> Response:
    return page(
        "billing/new_invoice.html",
        status_code=422 if errors else 200,
        values=values,
        errors=errors or {},
        currencies=sorted(CURRENCIES),
    )
