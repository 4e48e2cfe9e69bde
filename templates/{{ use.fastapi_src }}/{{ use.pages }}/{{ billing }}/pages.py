"""The pages: an organization's invoices, to look at, to add to and to void."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from ..accounts.public import Actor, PageActor, at_least
from ..core import pagination
from ..core.browsers import go, page, read_form, templates
from ..core.database import SessionDependency
from ..core.problems import Problem
from . import permissions, queries, services
from .contracts import InvoiceDetails, InvoiceStatus
from .currencies import CURRENCIES, money
from .errors import IdempotencyKeyReusedError, InvoiceNotFoundError
from .forms import InvoiceForm
from .permissions import Action

PAGE_SIZE = 20

InvoiceId = Annotated[UUID, Path(alias="id")]

router = APIRouter(prefix="/invoices")
templates.env.globals["money"] = money


@router.get("")
async def invoices(request: Request, actor: PageActor, session: SessionDependency) -> Response:
    """The organization's invoices, the newest first.

    Raises:
        Problem: 404, there is no such status or page.
    """
    permissions.require(actor, Action.READ)
    asked = request.query_params
    try:
        status = InvoiceStatus(asked["status"]) if "status" in asked else None
        before = pagination.decode(asked["cursor"]) if "cursor" in asked else None
    except ValueError as error:
        raise Problem(404, "There is no such list of invoices.") from error
    found, following = await queries.page(
        session, actor.organization_id, limit=PAGE_SIZE, before=before, status=status
    )
    return page(
        request,
        "billing/invoices.html",
        invoices=found,
        next_cursor=following,
        status=status,
        statuses=list(InvoiceStatus),
        may_create=_may(actor, Action.CREATE),
        may_void=_may(actor, Action.VOID),
    )


@router.get("/new")
async def new_invoice(request: Request, actor: PageActor) -> Response:
    permissions.require(actor, Action.CREATE)
    return _form(request, {"key": str(uuid4()), "currency": "EUR"})


@router.post("/new")
async def create_invoice(request: Request, actor: PageActor, session: SessionDependency) -> Response:
    permissions.require(actor, Action.CREATE)
    form = await read_form(request, InvoiceForm)
    if form.data is None:
        return _form(request, form.values, form.errors)
    try:
        created = await services.create(
            session,
            actor=actor,
            customer=form.data.customer,
            amount_cents=form.data.amount,
            currency=form.data.currency,
            idempotency_key=f"page:{form.data.key}",
        )
    except IdempotencyKeyReusedError:
        # The key is known, with other values.
        sent_before = "This form was sent before. Look for its invoice, or open a new form."
        return _form(request, form.values, {"": sent_before})
    return go(f"/invoices/{created.id}")


@router.get("/{id}")
async def invoice(
    request: Request, actor: PageActor, session: SessionDependency, invoice_id: InvoiceId
) -> Response:
    found = await _found(session, actor, invoice_id)
    return page(request, "billing/invoice.html", invoice=found, may_void=_may(actor, Action.VOID))


@router.get("/{id}/void")
async def ask_to_void(
    request: Request, actor: PageActor, session: SessionDependency, invoice_id: InvoiceId
) -> Response:
    """Ask whether it is meant."""
    permissions.require(actor, Action.VOID)
    return page(request, "billing/void.html", invoice=await _found(session, actor, invoice_id))


@router.post("/{id}/void")
async def void(actor: PageActor, session: SessionDependency, invoice_id: InvoiceId) -> Response:
    await services.void(session, actor=actor, invoice_id=invoice_id)
    return go(f"/invoices/{invoice_id}")


def _may(actor: Actor, action: Action) -> bool:
    return at_least(actor, action.value)


async def _found(session: AsyncSession, actor: Actor, invoice_id: UUID) -> InvoiceDetails:
    permissions.require(actor, Action.READ)
    found = await queries.get(session, actor.organization_id, invoice_id)
    if found is None:
        raise InvoiceNotFoundError
    return found


def _form(request: Request, values: Mapping[str, str], errors: Mapping[str, str] | None = None) -> Response:
    return page(
        request,
        "billing/new_invoice.html",
        status_code=422 if errors else 200,
        values=values,
        errors=errors or {},
        currencies=sorted(CURRENCIES),
    )
