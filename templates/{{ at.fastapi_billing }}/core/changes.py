"""Changes that a module announces to the others, in the transaction that makes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from .discovery import offered


@dataclass(frozen=True, slots=True)
class Change:
    """`type` is such as `invoice.voided`, `data` the JSON of the object afterwards."""

    organization_id: UUID
    type: str
    data: Mapping[str, object]


async def announce(session: AsyncSession, change: Change) -> None:
    """Call `on_change` of each `subscribers.py`. Announce a change last, before the commit."""
    for on_change in offered("subscribers", "on_change"):
        await on_change(session, change)
