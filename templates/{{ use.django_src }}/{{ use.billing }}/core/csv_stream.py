"""CSV that is written as it is sent, and that no spreadsheet takes for formulas."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO

from django.http import StreamingHttpResponse

CHUNK_CHARACTERS = 64 * 1024

# What spreadsheets evaluate, also in full width, behind quotes or blanks.
_FORMULA = re.compile(r"[\s'\"]*[=+\-@\t\r＝＋－＠]")  # noqa: RUF001


def csv_chunks(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """The text of a CSV file (RFC 4180) in pieces, with at most one piece and one row in memory."""
    buffer = StringIO()
    writer = csv.writer(buffer)
    writer.writerow(header)
    for row in rows:
        writer.writerow([_safe(cell) for cell in row])
        if buffer.tell() >= CHUNK_CHARACTERS:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def csv_response(chunks: Iterable[str], *, filename: str) -> StreamingHttpResponse:
    """A download that is sent while it is written."""
    return StreamingHttpResponse(
        chunks,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{filename}"'},
    )


def _safe(cell: object) -> object:
    # A quote in front makes a spreadsheet take the rest as text.
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell
