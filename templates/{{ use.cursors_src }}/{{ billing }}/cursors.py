"""Where a page of a list ends, as the opaque text that clients hand back for the next one."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

# Six bytes, the first of which is the version (1) and the others the number: whatever looks like it is one.
PATTERN = r"^A[Q-Za-f][A-Za-z0-9_-]{6}$"
_VERSION = b"\x01"


def encode(number: int) -> str:
    """The cursor of a page that ended with this number."""
    return urlsafe_b64encode(_VERSION + number.to_bytes(5)).decode()


def decode(cursor: str) -> int:
    """The number that a cursor was made from.

    Raises:
        ValueError: it was made by nobody here.
    """
    if not re.fullmatch(PATTERN, cursor):
        raise ValueError("This is no cursor of this list.")
    return int.from_bytes(urlsafe_b64decode(cursor)[1:])
