"""Keyset pagination, newest first: a page starts after the last row of the page before."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema
from sqlalchemy import Select, literal, tuple_

from ..extensions import db

Item = TypeVar("Item")
Row = TypeVar("Row", bound=Any)

# Base64 of `created_at`, in microseconds since the year 1, and of `id`.
PATTERN = r"^A[A-Za-z0-9_-]{31}$"
_START = datetime.min.replace(tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def encode(created_at: datetime, row_id: UUID) -> str:
    """Return the cursor of a page that ends with this row."""
    microseconds = (created_at - _START) // _MICROSECOND
    return urlsafe_b64encode(microseconds.to_bytes(8) + row_id.bytes).decode()


def decode(cursor: str) -> tuple[datetime, UUID]:
    """Return the `created_at` and the `id` of a cursor; raise ValueError for anything else."""
    if not re.fullmatch(PATTERN, cursor):
        raise ValueError("It must be the next_cursor of a page.")
    decoded = urlsafe_b64decode(cursor)
    return _START + int.from_bytes(decoded[:8]) * _MICROSECOND, UUID(bytes=decoded[8:])


class PageQuery(BaseModel):
    """The query of a list; a subclass adds filters."""

    limit: int = Field(default=50, ge=1, le=100)
    cursor: Annotated[
        tuple[datetime, UUID] | None,
        BeforeValidator(decode),
        WithJsonSchema({"type": "string", "pattern": PATTERN}),
    ] = None


class Page(BaseModel, Generic[Item]):
    """A page of a list. Its subclasses are named components of the OpenAPI document."""

    items: list[Item]
    next_cursor: Annotated[str | None, Field(description="Null on the last page.")]


def newest(rows: Select[Row], query: PageQuery, into: Callable[[Row], Item]) -> Page[Item]:
    """Return a page of rows that have `created_at` and `id`, with `into` applied to each."""
    key = (rows.selected_columns.created_at, rows.selected_columns.id)
    if query.cursor is not None:
        last = (literal(value, column.type) for column, value in zip(key, query.cursor, strict=True))
        rows = rows.where(tuple_(*key) < tuple_(*last))
    # One more than asked for tells whether there is a next page.
    rows = rows.order_by(*(column.desc() for column in key)).limit(query.limit + 1)
    found = db.session.scalars(rows).all()
    page = found[: query.limit]
    next_cursor = encode(page[-1].created_at, page[-1].id) if len(found) > query.limit else None
    return Page(items=[into(row) for row in page], next_cursor=next_cursor)
