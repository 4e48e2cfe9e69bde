"""The interface for other modules: functions that take and return plain values, never rows."""

from .contracts import InvoiceData, InvoiceStatus
from .queries import get_invoice, invoice_ids
from .services import PaymentNotAppliedError, mark_paid

__all__ = [
    "InvoiceData",
    "InvoiceStatus",
    "PaymentNotAppliedError",
    "get_invoice",
    "invoice_ids",
    "mark_paid",
]
