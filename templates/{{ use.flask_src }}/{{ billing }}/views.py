"""The HTTP face: invoices."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from apiflask import APIBlueprint

from ..accounts.public import Scope, current_actor, requires
from ..extensions import db
from . import exchange_rates, queries, services
from .commands import clear_idempotency_keys, seed
from .contracts import InvoiceDetails
from .schemas import ConvertedOut, ConvertQuery, CreateHeaders, InvoiceIn, InvoiceOut, InvoicePage, ListQuery

Responses = dict[int | str, dict[str, str | dict[str, dict[str, Any]]]]

CREATED: Responses = {
    201: {
        "headers": {"Location": {"schema": {"type": "string"}, "description": "The path of the new invoice."}}
    },
    409: {"description": "The key was used for another request"},
}
CONVERTED: Responses = {
    404: {"description": "No such invoice, or no exchange rates configured here"},
    422: {"description": "Not a currency, or none with a rate"},
    502: {"description": "The service with the exchange rates failed"},
    503: {
        "description": "It failed so often that it is left alone",
        "headers": {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}},
    },
    504: {"description": "It took too long"},
}

blueprint = APIBlueprint("billing", __name__, tag="Invoices", url_prefix="/api/v1/invoices", cli_group=None)
blueprint.cli.add_command(seed)
blueprint.cli.add_command(clear_idempotency_keys)
blueprint.record(exchange_rates.connect)


@blueprint.get("")
@requires(Scope.READ)
@blueprint.input(ListQuery, location="query")
@blueprint.output(InvoicePage)
@blueprint.doc(operation_id="invoices_list")
def index(query_data: ListQuery) -> InvoicePage:
    """List the organization's invoices, the newest first.

    A page continues where the one before ended, also when invoices were added meanwhile.
    """
    found, following = queries.page(
        current_actor().organization_id,
        limit=query_data.limit,
        before=query_data.cursor,
        status=query_data.status,
    )
    return InvoicePage(items=[InvoiceOut.model_validate(each) for each in found], next_cursor=following)


@blueprint.post("")
@requires(Scope.WRITE)
@blueprint.input(InvoiceIn)
@blueprint.input(CreateHeaders, location="headers")
@blueprint.output(InvoiceOut, status_code=HTTPStatus.CREATED)
@blueprint.doc(operation_id="invoices_create", responses=CREATED)
def create(json_data: InvoiceIn, headers_data: CreateHeaders) -> tuple[InvoiceOut, dict[str, str]]:
    """Create an invoice, which gets the organization's next number.

    An `Idempotency-Key` is chosen by the client: a repeated request gets the first answer, and nothing twice.
    """
    created = services.create(
        actor=current_actor(), idempotency_key=headers_data.idempotency_key, **json_data.model_dump()
    )
    return InvoiceOut.model_validate(created), {"Location": f"/api/v1/invoices/{created.id}"}


@blueprint.get("/<uuid:invoice_id>")
@requires(Scope.READ)
@blueprint.output(InvoiceOut)
@blueprint.doc(operation_id="invoices_get")
def detail(invoice_id: UUID) -> InvoiceOut:
    """Get one of the organization's invoices."""
    return InvoiceOut.model_validate(_found(invoice_id))


@blueprint.get("/<uuid:invoice_id>/converted")
@requires(Scope.READ)
@blueprint.input(ConvertQuery, location="query")
@blueprint.output(ConvertedOut)
@blueprint.doc(operation_id="invoices_convert", responses=CONVERTED)
def convert(invoice_id: UUID, query_data: ConvertQuery) -> ConvertedOut:
    """Say what an invoice amounts to in another currency, at the latest rate.

    It is rounded half to even. The rates come from another service, where one is configured.
    """
    rates = exchange_rates.exchange_rates()
    invoice = _found(invoice_id)
    # Whoever waits for another service holds no connection to the database meanwhile.
    db.session.commit()
    return ConvertedOut.model_validate(rates.convert(invoice, query_data.currency))


@blueprint.post("/<uuid:invoice_id>/void")
@requires(Scope.WRITE)
@blueprint.output(InvoiceOut)
@blueprint.doc(operation_id="invoices_void", responses={409: "It is not open"})
def void(invoice_id: UUID) -> InvoiceOut:
    """Void an invoice that is open."""
    return InvoiceOut.model_validate(services.void(actor=current_actor(), invoice_id=invoice_id))


def _found(invoice_id: UUID) -> InvoiceDetails:
    """The organization's invoice with this id.

    Raises:
        Problem: 404 if there is none.
    """
    found = queries.find(current_actor().organization_id, invoice_id)
    if found is None:
        raise services.not_found()
    return found
