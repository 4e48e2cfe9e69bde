"""Cursors for keyset pagination, oldest first: opaque text for the time and the id of a page's last row."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

# Base64 of 24 bytes: the version (1), microseconds since 1970, and the id.
PATTERN = r"^AQ[A-Za-z0-9_-]{30}$"
_VERSION = b"\x01"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Position(NamedTuple):
    """A row's place in the list."""

    created_at: datetime
    id: UUID


def encode(position: Position) -> str:
    """Return the cursor of a page that ends with the row at this position."""
    microseconds = (position.created_at - _EPOCH) // timedelta(microseconds=1)
    return urlsafe_b64encode(_VERSION + microseconds.to_bytes(7) + position.id.bytes).decode()


def decode(cursor: str) -> Position:
    """Return the position of a cursor.

    Raises:
        ValueError: the cursor is malformed.
    """
    if not re.fullmatch(PATTERN, cursor):
        raise ValueError("This is not a cursor of this list.")
    content = urlsafe_b64decode(cursor)
    created_at = _EPOCH + timedelta(microseconds=int.from_bytes(content[1:8]))
    return Position(created_at, UUID(bytes=content[8:]))
