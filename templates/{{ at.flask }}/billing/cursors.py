"""Cursors for keyset pagination: opaque text for the last number of a page."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

# Base64 of six bytes: the version (1) and the number.
PATTERN = r"^A[Q-Za-f][A-Za-z0-9_-]{6}$"
_VERSION = b"\x01"


def encode(number: int) -> str:
    """Return the cursor of a page that ends with `number`."""
    return urlsafe_b64encode(_VERSION + number.to_bytes(5)).decode()


def decode(cursor: str) -> int:
    """Return the number of a cursor.

    Raises:
        ValueError: the cursor is malformed.
    """
    if not re.fullmatch(PATTERN, cursor):
        raise ValueError("This is not a cursor of this list.")
    return int.from_bytes(urlsafe_b64decode(cursor)[1:])
