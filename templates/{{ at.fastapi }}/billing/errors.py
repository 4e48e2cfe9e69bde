"""Errors of this module, each with a `type` of its own."""

from ..core.errors import ApiError


class InvoiceNotFoundError(ApiError):
    """Also for an invoice of another tenant, so as not to reveal that it exists."""

    status = 404
    type = "urn:problem:invoice-not-found"
    title = "Invoice not found"
    detail = "There is no such invoice."


class InvoiceNotOpenError(ApiError):
    status = 409
    type = "urn:problem:invoice-not-open"
    title = "Invoice not open"

    def __init__(self, status: str) -> None:
        super().__init__(f"The invoice is {status}, not open.")


class IdempotencyKeyReusedError(ApiError):
    status = 409
    type = "urn:problem:idempotency-key-reused"
    title = "Idempotency key reused"
    detail = "This key was used for another request."


class InvalidSignatureError(ApiError):
    status = 401
    type = "urn:problem:invalid-signature"
    title = "Invalid signature"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Webhook-Signature"})
