"""The interface for other modules: functions that take and return plain values, never rows."""

from .contracts import InvoiceData, InvoiceStatus
from .queries import get_invoice
from .services import create_invoice, mark_paid, void_invoice

__all__ = ["InvoiceData", "InvoiceStatus", "create_invoice", "get_invoice", "mark_paid", "void_invoice"]
