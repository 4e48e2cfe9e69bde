"""Keyset pagination: a page starts after the last row of the page before."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema
from sqlalchemy import BigInteger, Select, literal, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

RowType = TypeVar("RowType")
ItemType = TypeVar("ItemType")

# Six bytes in base64: the version, which is 1, and the key.
PATTERN = r"^A[Q-Za-f][A-Za-z0-9_-]{6}$"
_VERSION = b"\x01"
_KEY_BYTES = 5
# 24 bytes: the version, which is 2, the microseconds since 1970, and an id. Every match is a cursor.
KEYSET_PATTERN = r"^A[g-v][A-Za-z0-9_-]{30}$"
_KEYSET_VERSION = b"\x02"
_TIME_BYTES = 7
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CURSOR = "The `next_cursor` of the page before."


def encode(key: int) -> str:
    """Return the cursor of a page that ends with this key."""
    return urlsafe_b64encode(_VERSION + key.to_bytes(_KEY_BYTES)).decode()


def decode(cursor: str) -> int:
    """Return the key in a cursor.

    Raises:
        ValueError: it is not a cursor.
    """
    return int.from_bytes(_bytes_of(cursor, PATTERN))


def encode_keyset(created_at: datetime, row_id: UUID) -> str:
    """Return the cursor of a page that ends with this row."""
    time = (created_at - _EPOCH) // timedelta(microseconds=1)
    key = time.to_bytes(_TIME_BYTES, signed=True) + row_id.bytes
    return urlsafe_b64encode(_KEYSET_VERSION + key).decode()


def decode_keyset(cursor: str) -> tuple[datetime, UUID]:
    """Return the time and the id in a cursor, as `decode`."""
    key = _bytes_of(cursor, KEYSET_PATTERN)
    time = timedelta(microseconds=int.from_bytes(key[:_TIME_BYTES], signed=True))
    return _EPOCH + time, UUID(bytes=key[_TIME_BYTES:])


def _bytes_of(cursor: str, pattern: str) -> bytes:
    if not re.fullmatch(pattern, cursor):
        raise ValueError("It must be the next_cursor of a page.")
    return urlsafe_b64decode(cursor)[1:]


CursorQuery = Annotated[
    int | None,
    BeforeValidator(decode),
    WithJsonSchema({"type": "string", "pattern": PATTERN}),
    Query(alias="cursor", description=CURSOR),
]
KeysetQuery = Annotated[
    str | None,
    WithJsonSchema({"type": "string", "pattern": KEYSET_PATTERN}),
    Query(pattern=KEYSET_PATTERN, description=CURSOR),
]
LimitQuery = Annotated[int, Query(ge=1, le=100)]


class Page(BaseModel, Generic[ItemType]):
    """A page of a list. Its subclasses are named components of the OpenAPI document."""

    items: list[ItemType]
    next_cursor: Annotated[str | None, Field(description="Null on the last page.")]


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


async def newest_by_time(
    session: AsyncSession,
    rows: Select[RowType],
    *,
    key: tuple[InstrumentedAttribute[datetime], InstrumentedAttribute[UUID]],
    limit: int,
    cursor: str | None,
) -> tuple[Sequence[RowType], str | None]:
    """Return the newest rows as `newest` does, by their time and, for rows of the same time, their id."""
    created_at, row_id = key
    if cursor is not None:
        rows = rows.where(tuple_(*key) < tuple_(*decode_keyset(cursor)))
    found = (await session.scalars(rows.order_by(created_at.desc(), row_id.desc()).limit(limit + 1))).all()
    page = found[:limit]
    if len(found) <= limit:
        return page, None
    return page, encode_keyset(getattr(page[-1], created_at.key), getattr(page[-1], row_id.key))
