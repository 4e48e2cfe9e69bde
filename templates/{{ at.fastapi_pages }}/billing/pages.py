"""Pages: list, create and void invoices."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from ..accounts.public import Actor, Role, at_least, require
from ..accounts.visitors import PageActor
from ..core.browsers import Link, go, page, read_form, templates
from ..core.database import ReadSessionDependency, SessionDependency
from ..core.problems import Problem
from . import cursors, queries, services
from .contracts import InvoiceData, InvoiceStatus
from .currencies import CURRENCIES
from .errors import IdempotencyKeyReusedError, InvoiceNotFoundError
from .forms import InvoiceForm
from .money import money

PAGE_SIZE = 20

InvoiceId = Annotated[UUID, Path()]

pages = APIRouter(prefix="/invoices")
NAVIGATION = [Link("Invoices", "/invoices")]
templates.env.globals["money"] = money


@pages.get("")
async def list_invoices(request: Request, actor: PageActor, session: ReadSessionDependency) -> Response:
    """Show the tenant's invoices, newest first.

    Raises:
        Problem: 404, there is no such status or page.
    """
    query = request.query_params
    try:
        status = InvoiceStatus(query["status"]) if "status" in query else None
        before = cursors.decode(query["cursor"]) if "cursor" in query else None
    except ValueError as error:
        raise Problem(404, "There is no such list of invoices.") from error
    invoices, next_cursor = await queries.list_invoices(
        session, actor.organization_id, limit=PAGE_SIZE, before=before, status=status
    )
    return page(
        request,
        "billing/invoices.html",
        invoices=invoices,
        next_cursor=next_cursor,
        status=status,
        statuses=list(InvoiceStatus),
        may_create=at_least(actor, Role.MEMBER),
        may_void=at_least(actor, Role.OWNER),
    )


@pages.get("/new")
async def new_invoice(request: Request, actor: PageActor) -> Response:
    require(actor, Role.MEMBER)
    return _form(request, {"key": str(uuid4()), "currency": "EUR"})


@pages.post("/new")
async def create_invoice(request: Request, actor: PageActor, session: SessionDependency) -> Response:
    require(actor, Role.MEMBER)
    form = await read_form(request, InvoiceForm)
    if form.data is None:
        return _form(request, form.values, form.errors)
    try:
        created = await services.create_invoice(
            session,
            actor=actor,
            customer=form.data.customer,
            amount_cents=form.data.amount,
            currency=form.data.currency,
            idempotency_key=f"page:{form.data.key}",
        )
    except IdempotencyKeyReusedError:
        sent_before = "This form was sent before. Look for its invoice, or open a new form."
        return _form(request, form.values, {"": sent_before})
    return go(f"/invoices/{created.id}")


@pages.get("/{invoice_id}")
async def show_invoice(
    request: Request, actor: PageActor, session: ReadSessionDependency, invoice_id: InvoiceId
) -> Response:
    invoice = await _get_invoice(session, actor, invoice_id)
    return page(request, "billing/invoice.html", invoice=invoice, may_void=at_least(actor, Role.OWNER))


@pages.get("/{invoice_id}/void")
async def confirm_void(
    request: Request, actor: PageActor, session: ReadSessionDependency, invoice_id: InvoiceId
) -> Response:
    """Ask for confirmation."""
    require(actor, Role.OWNER)
    return page(request, "billing/void.html", invoice=await _get_invoice(session, actor, invoice_id))


@pages.post("/{invoice_id}/void")
async def void_invoice(actor: PageActor, session: SessionDependency, invoice_id: InvoiceId) -> Response:
    await services.void_invoice(session, actor=actor, invoice_id=invoice_id)
    return go(f"/invoices/{invoice_id}")


async def _get_invoice(session: AsyncSession, actor: Actor, invoice_id: UUID) -> InvoiceData:
    invoice = await queries.get_invoice(session, actor.organization_id, invoice_id)
    if invoice is None:
        raise InvoiceNotFoundError
    return invoice


def _form(request: Request, values: Mapping[str, str], errors: Mapping[str, str] | None = None) -> Response:
    return page(
        request,
        "billing/new_invoice.html",
        status_code=422 if errors else 200,
        values=values,
        errors=errors or {},
        currencies=sorted(CURRENCIES),
    )
