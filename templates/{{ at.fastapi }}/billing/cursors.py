"""Keyset pagination by number: a page starts after the last row of the page before."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Annotated, TypeVar

from fastapi import Query
from pydantic import BeforeValidator, WithJsonSchema
from sqlalchemy import BigInteger, Select, literal
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

RowType = TypeVar("RowType")

# Six bytes in base64: the version, which is 1, and the key.
PATTERN = r"^A[Q-Za-f][A-Za-z0-9_-]{6}$"
_VERSION = b"\x01"
_KEY_BYTES = 5


def encode(key: int) -> str:
    """Return the cursor of a page that ends with this key."""
    return urlsafe_b64encode(_VERSION + key.to_bytes(_KEY_BYTES)).decode()


def decode(cursor: str) -> int:
    """Return the key in a cursor.

    Raises:
        ValueError: it is not a cursor.
    """
    if not re.fullmatch(PATTERN, cursor):
        raise ValueError("It must be the next_cursor of a page.")
    return int.from_bytes(urlsafe_b64decode(cursor)[1:])


CursorQuery = Annotated[
    int | None,
    BeforeValidator(decode),
    WithJsonSchema({"type": "string", "pattern": PATTERN}),
    Query(alias="cursor", description="The `next_cursor` of the page before."),
]


async def newest(
    session: AsyncSession,
    rows: Select[RowType],
    *,
    key: InstrumentedAttribute[int],
    limit: int,
    before: int | None,
) -> tuple[Sequence[RowType], str | None]:
    """Return the rows with the highest keys, and the cursor of the next page if there is one.

    Args:
        session: the caller's.
        rows: the whole list.
        key: a unique, increasing number; the index should start with the columns that `rows` filters by.
        limit: the page size.
        before: only rows with a lower key.
    """
    if before is not None:
        # A forged cursor may exceed the column.
        rows = rows.where(key < literal(before, BigInteger))
    # One more row tells whether there is a next page.
    found = (await session.scalars(rows.order_by(key.desc()).limit(limit + 1))).all()
    page = found[:limit]
    return page, encode(getattr(page[-1], key.key)) if len(found) > limit else None
