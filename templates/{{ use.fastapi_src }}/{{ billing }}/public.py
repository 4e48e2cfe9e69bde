"""The face of this module: what other modules may call. Plain values go in and out, never rows."""

from .contracts import InvoiceDetails, InvoiceStatus
from .queries import get as get_invoice

__all__ = ["InvoiceDetails", "InvoiceStatus", "get_invoice"]
