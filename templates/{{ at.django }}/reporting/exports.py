"""The CSV file of invoices, streamed and without formula injection."""

import csv
import re
from collections.abc import Iterator
from dataclasses import astuple, fields
from io import StringIO

from django.http import StreamingHttpResponse

from ..billing.public import InvoiceData, Scope, stream_invoices

CHUNK_CHARACTERS = 64 * 1024

# Cells that spreadsheets evaluate as formulas, also in full width, behind quotes or spaces.
_FORMULA = re.compile(r"[\s'\"]*[=+\-@\t\r＝＋－＠]")  # noqa: RUF001


def invoices_csv(scope: Scope) -> Iterator[str]:
    """Yield all invoices as CSV (RFC 4180) in chunks, with constant memory."""
    buffer = StringIO()
    writer = csv.writer(buffer)
    writer.writerow([field.name for field in fields(InvoiceData)])
    for invoice in stream_invoices(scope):
        writer.writerow([_safe(cell) for cell in astuple(invoice)])
        if buffer.tell() >= CHUNK_CHARACTERS:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def invoices_response(scope: Scope) -> StreamingHttpResponse:
    """Return the file as a download."""
    return StreamingHttpResponse(
        invoices_csv(scope),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="invoices.csv"'},
    )


def _safe(cell: object) -> object:
    # A leading quote makes it text.
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell
