"""What other modules may use: plain values, never models."""

from .contracts import InvoiceData, RevenueByMonth, RevenueByStatus, Scope, money
from .queries import get as get_invoice
from .queries import revenue_by_month, revenue_by_status
from .queries import stream as stream_invoices

__all__ = [
    "InvoiceData",
    "RevenueByMonth",
    "RevenueByStatus",
    "Scope",
    "get_invoice",
    "money",
    "revenue_by_month",
    "revenue_by_status",
    "stream_invoices",
]
