"""Errors that a client can tell apart by their type."""

from ..core.problems import Problem


class InvoiceNotOpenError(Problem):
    type = "urn:problem:invoice-not-open"
    title = "Invoice not open"


class IdempotencyKeyReusedError(Problem):
    type = "urn:problem:idempotency-key-reused"
    title = "Idempotency key reused"
