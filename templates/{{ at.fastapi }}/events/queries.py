"""Reads."""

import json
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from .contracts import Event
from .errors import UnknownEventError
from .models import KEPT, EventCounter, EventEntry


async def get_last_ids(session: AsyncSession, organization_ids: Collection[UUID]) -> Mapping[UUID, int]:
    """Return the id of the newest event of each organization that has events."""
    counters = select(EventCounter.organization_id, EventCounter.last_id)
    rows = await session.execute(counters.where(EventCounter.organization_id.in_(organization_ids)))
    return dict(rows.all())


async def get_position(session: AsyncSession, organization_id: UUID, last_event_id: int | None) -> int:
    """Return the event after which a client continues; by default the newest.

    Raises:
        UnknownEventError: there is no such event, or the events after it are deleted.
    """
    last_id = (await get_last_ids(session, [organization_id])).get(organization_id, 0)
    if last_event_id is None:
        return last_id
    if not last_id - KEPT <= last_event_id <= last_id:
        raise UnknownEventError
    if last_event_id < last_id:
        # Or a client would reconnect again and again for events that are gone.
        await list_events(session, organization_id, last_event_id, 1)
    return last_event_id


async def list_events(
    session: AsyncSession, organization_id: UUID, after: int, limit: int
) -> Sequence[Event]:
    """Return the events that follow the one with this id.

    Raises:
        UnknownEventError: the first of them is deleted.
    """
    entries = select(EventEntry).where(EventEntry.organization_id == organization_id, EventEntry.id > after)
    rows = (await session.scalars(entries.order_by(EventEntry.id).limit(limit))).all()
    if not rows or rows[0].id != after + 1:
        raise UnknownEventError
    return [Event(row.id, row.type, _message(row)) for row in rows]


def _message(entry: EventEntry) -> str:
    created_at = entry.created_at.isoformat().replace("+00:00", "Z")
    message = {"id": entry.id, "type": entry.type, "created_at": created_at, "data": entry.data}
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))
