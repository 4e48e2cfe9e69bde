"""HTTP: invoices."""

from http import HTTPStatus
from uuid import UUID

from apiflask import APIBlueprint
from flask import url_for

from ..accounts.public import Scope, auth, current_actor
from ..core.openapi import Responses, problem
from . import queries, services
from .errors import IdempotencyKeyReusedError, InvoiceNotFoundError, InvoiceNotOpenError
from .schemas import CreateHeaders, InvoiceIn, InvoiceOut, InvoicePage, ListQuery

LOCATION = {"Location": {"schema": {"type": "string"}, "description": "The path of the new invoice."}}
CREATED: Responses = {201: {"headers": LOCATION}, 409: problem(IdempotencyKeyReusedError)}
FOUND: Responses = {404: problem(InvoiceNotFoundError)}
VOIDED: Responses = {**FOUND, 409: problem(InvoiceNotOpenError)}

blueprint = APIBlueprint("billing", __name__, tag="billing", url_prefix="/api/v1/invoices")


@blueprint.get("")
@blueprint.auth_required(auth, roles=[Scope.READ])
@blueprint.input(ListQuery, location="query")
@blueprint.output(InvoicePage)
@blueprint.doc(operation_id="billing_list_invoices")
def list_invoices(query_data: ListQuery) -> InvoicePage:
    """Return the tenant's invoices, newest first."""
    invoices, next_cursor = queries.list_invoices(
        current_actor().organization_id,
        limit=query_data.limit,
        before=query_data.cursor,
        status=query_data.status,
    )
    return InvoicePage(items=[InvoiceOut.model_validate(each) for each in invoices], next_cursor=next_cursor)


@blueprint.post("")
@blueprint.auth_required(auth, roles=[Scope.WRITE])
@blueprint.input(InvoiceIn)
@blueprint.input(CreateHeaders, location="headers")
@blueprint.output(InvoiceOut, status_code=HTTPStatus.CREATED)
@blueprint.doc(operation_id="billing_create_invoice", responses=CREATED)
def create_invoice(json_data: InvoiceIn, headers_data: CreateHeaders) -> tuple[InvoiceOut, dict[str, str]]:
    """Create an invoice with the tenant's next number.

    A request with the `Idempotency-Key` of an earlier one gets the same response, and creates nothing.
    """
    invoice = services.create_invoice(
        actor=current_actor(), idempotency_key=headers_data.idempotency_key, **json_data.model_dump()
    )
    return InvoiceOut.model_validate(invoice), {"Location": url_for(".get_invoice", invoice_id=invoice.id)}


@blueprint.get("/<uuid:invoice_id>")
@blueprint.auth_required(auth, roles=[Scope.READ])
@blueprint.output(InvoiceOut)
@blueprint.doc(operation_id="billing_get_invoice", responses=FOUND)
def get_invoice(invoice_id: UUID) -> InvoiceOut:
    """Return an invoice of the tenant."""
    invoice = queries.get_invoice(current_actor().organization_id, invoice_id)
    if invoice is None:
        raise InvoiceNotFoundError
    return InvoiceOut.model_validate(invoice)


@blueprint.post("/<uuid:invoice_id>/void")
@blueprint.auth_required(auth, roles=[Scope.WRITE])
@blueprint.output(InvoiceOut)
@blueprint.doc(operation_id="billing_void_invoice", responses=VOIDED)
def void_invoice(invoice_id: UUID) -> InvoiceOut:
    """Void an open invoice."""
    return InvoiceOut.model_validate(services.void_invoice(actor=current_actor(), invoice_id=invoice_id))
