"""Files for spreadsheets."""

from collections.abc import Iterator
from dataclasses import astuple, fields

from ..billing.public import InvoiceData, Scope, stream_invoices
from ..core.csv_stream import csv_chunks


def invoices_csv(scope: Scope) -> Iterator[str]:
    """All invoices as CSV, in pieces; memory does not grow with their number."""
    header = [field.name for field in fields(InvoiceData)]
    return csv_chunks(header, (astuple(invoice) for invoice in stream_invoices(scope)))
