"""The interface for other modules: plain values, never models."""

from .contracts import InvoiceData, RevenueByMonth, RevenueByStatus, Scope, money
from .queries import get_invoice, revenue_by_month, revenue_by_status, stream_invoices
from .services import create_invoice

__all__ = [
    "InvoiceData",
    "RevenueByMonth",
    "RevenueByStatus",
    "Scope",
    "create_invoice",
    "get_invoice",
    "money",
    "revenue_by_month",
    "revenue_by_status",
    "stream_invoices",
]
