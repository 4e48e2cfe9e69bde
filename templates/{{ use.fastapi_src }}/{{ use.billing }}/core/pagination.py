"""Pages of a list that stay stable while rows are added: each begins after the last row of the one before."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema
from sqlalchemy import BigInteger, Select, literal
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

RowType = TypeVar("RowType")
ItemType = TypeVar("ItemType", bound=BaseModel)

# Six bytes, the first of which is the version (1) and the others the key: whatever looks like it is a cursor.
PATTERN = r"^A[Q-Za-f][A-Za-z0-9_-]{6}$"
_VERSION = b"\x01"
_KEY_BYTES = 5


def encode(key: int) -> str:
    """The cursor of a page that ended with this key."""
    return urlsafe_b64encode(_VERSION + key.to_bytes(_KEY_BYTES)).decode()


def decode(cursor: str) -> int:
    """The key that a cursor was made from.

    Raises:
        ValueError: it was made by nobody here.
    """
    if not re.fullmatch(PATTERN, cursor):
        raise ValueError("This is no cursor of this list.")
    return int.from_bytes(urlsafe_b64decode(cursor)[1:])


# None stands for what was not sent; the contract knows no null here.
CursorQuery = Annotated[
    int | None,
    BeforeValidator(decode),
    WithJsonSchema({"type": "string", "pattern": PATTERN}),
    Query(alias="cursor", description="The `next_cursor` of the page before."),
]
LimitQuery = Annotated[int, Query(ge=1, le=100)]


class Page(BaseModel, Generic[ItemType]):
    """The answer of a list. Give each list a subclass, which then is its name in the contract."""

    items: list[ItemType]
    next_cursor: Annotated[str | None, Field(description="None on the last page.")]


async def newest(
    session: AsyncSession,
    rows: Select[RowType],
    *,
    key: InstrumentedAttribute[int],
    limit: int,
    before: int | None,
) -> tuple[Sequence[RowType], str | None]:
    """The rows with the highest keys, and the cursor of the next page if there is one.

    Args:
        session: reads them.
        rows: all that the list has.
        key: a number that is unique among them and grows; an index should begin with what `rows` filters by.
        limit: how many at most.
        before: only keys below this one, which is what `decode` made of a cursor.
    """
    if before is not None:
        # A cursor may hold more than the column does.
        rows = rows.where(key < literal(before, BigInteger))
    # One more than asked for says whether there is a next page.
    found = (await session.scalars(rows.order_by(key.desc()).limit(limit + 1))).all()
    page = found[:limit]
    return page, encode(getattr(page[-1], key.key)) if len(found) > limit else None
