"""E-mail addresses."""

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

MAX_LENGTH = 254
# One address, which needs no quotes in a mail's header.
_ADDRESS = re.compile(r"[^@\s,;:<>()\[\]\"\\\x00-\x1f\x7f-\x9f]+@[^@\s,;:<>()\[\]\"\\\x00-\x1f\x7f-\x9f]+")


def normalize_email(email: str) -> str:
    """Return the address in the form in which it is stored: no two users differ only in case."""
    return unicodedata.normalize("NFKC", email).strip().lower()


def _address(value: str) -> str:
    email = normalize_email(value)
    if len(email) > MAX_LENGTH or not _ADDRESS.fullmatch(email):
        raise ValueError("This is not an e-mail address.")
    return email


# The address as it is stored.
Email = Annotated[
    str,
    Field(max_length=MAX_LENGTH),
    AfterValidator(_address),
    WithJsonSchema({"type": "string", "format": "email", "maxLength": MAX_LENGTH}),
]
