"""Keyset pagination: a page starts after the last row of the page before."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field, WithJsonSchema
from sqlalchemy import Select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

RowType = TypeVar("RowType")
ItemType = TypeVar("ItemType")

# 24 bytes: the version, which is 2, the microseconds since 1970, and an id. Every match is a cursor.
KEYSET_PATTERN = r"^A[g-v][A-Za-z0-9_-]{30}$"
_KEYSET_VERSION = b"\x02"
_TIME_BYTES = 7
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CURSOR = "The `next_cursor` of the page before."


def encode_keyset(created_at: datetime, row_id: UUID) -> str:
    """Return the cursor of a page that ends with this row."""
    time = (created_at - _EPOCH) // timedelta(microseconds=1)
    key = time.to_bytes(_TIME_BYTES, signed=True) + row_id.bytes
    return urlsafe_b64encode(_KEYSET_VERSION + key).decode()


def decode_keyset(cursor: str) -> tuple[datetime, UUID]:
    """Return the time and the id in a cursor; raise ValueError for anything else."""
    if not re.fullmatch(KEYSET_PATTERN, cursor):
        raise ValueError("It must be the next_cursor of a page.")
    key = urlsafe_b64decode(cursor)[1:]
    time = timedelta(microseconds=int.from_bytes(key[:_TIME_BYTES], signed=True))
    return _EPOCH + time, UUID(bytes=key[_TIME_BYTES:])


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


async def newest_by_time(
    session: AsyncSession,
    rows: Select[RowType],
    *,
    key: tuple[InstrumentedAttribute[datetime], InstrumentedAttribute[UUID]],
    limit: int,
    cursor: str | None,
) -> tuple[Sequence[RowType], str | None]:
    """Return the newest rows, by their time and id, and the cursor of the next page if there is one."""
    created_at, row_id = key
    if cursor is not None:
        rows = rows.where(tuple_(*key) < tuple_(*decode_keyset(cursor)))
    # One more row tells whether there is a next page.
    found = (await session.scalars(rows.order_by(created_at.desc(), row_id.desc()).limit(limit + 1))).all()
    page = found[:limit]
    if len(found) <= limit:
        return page, None
    return page, encode_keyset(getattr(page[-1], created_at.key), getattr(page[-1], row_id.key))
