"""Errors that a client can tell apart by their type."""

from http import HTTPStatus

from ..core.errors import ApiError


class InvoiceNotFoundError(ApiError):
    """Also for an invoice of another tenant, so as not to reveal that it exists."""

    status = HTTPStatus.NOT_FOUND
    type = "urn:problem:invoice-not-found"
    title = "Invoice not found"
    detail = "There is no such invoice."


class InvoiceNotOpenError(ApiError):
    status = HTTPStatus.CONFLICT
    type = "urn:problem:invoice-not-open"
    title = "Invoice not open"
    detail = "The invoice is not open."


class IdempotencyKeyReusedError(ApiError):
    status = HTTPStatus.CONFLICT
    type = "urn:problem:idempotency-key-reused"
    title = "Idempotency key reused"
    detail = "This Idempotency-Key was used for another request."
