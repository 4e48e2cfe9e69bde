"""The face of this module to the others: plain values in and out, never what the database gave."""

from .contracts import InvoiceDetails, InvoiceStatus
from .queries import find as find_invoice
from .services import mark_paid

__all__ = ["InvoiceDetails", "InvoiceStatus", "find_invoice", "mark_paid"]
