"""Cursors of lists in the order of their creation."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import WithJsonSchema

# 24 bytes in base64: version 1, the microseconds since 1970, and the id. Every match is a cursor.
PATTERN = r"^A[Q-Za-f][A-Za-z0-9_-]{30}$"
_VERSION = b"\x01"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def encode(created_at: datetime, row_id: UUID) -> str:
    """Return the cursor of a page that ends with this row."""
    microseconds = (created_at - _EPOCH) // timedelta(microseconds=1)
    return urlsafe_b64encode(_VERSION + microseconds.to_bytes(7) + row_id.bytes).decode()


def decode(cursor: str) -> tuple[datetime, UUID]:
    """Return the creation time and the id in a cursor."""
    content = urlsafe_b64decode(cursor)
    return _EPOCH + timedelta(microseconds=int.from_bytes(content[1:8])), UUID(bytes=content[8:])


CursorQuery = Annotated[
    str | None,
    WithJsonSchema({"type": "string", "pattern": PATTERN}),
    Query(pattern=PATTERN, description="The `next_cursor` of the page before."),
]
