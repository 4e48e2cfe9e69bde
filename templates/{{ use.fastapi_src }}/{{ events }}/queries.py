"""What is read from the database."""

import json
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from .contracts import Event
from .errors import UnknownEventError
from .models import KEPT, EventCounter, EventEntry


async def last_ids(session: AsyncSession, organization_ids: Collection[UUID]) -> Mapping[UUID, int]:
    """The id of the last event of each of these organizations that had any."""
    counters = select(EventCounter.organization_id, EventCounter.last_id)
    rows = await session.execute(counters.where(EventCounter.organization_id.in_(organization_ids)))
    return dict(rows.all())


async def position(session: AsyncSession, organization_id: UUID, last_event_id: int | None) -> int:
    """After which event a client goes on that got this one last; one that got none, after those there are.

    Raises:
        UnknownEventError: there was no such event yet, or what came after it is no longer kept.
    """
    last_id = (await last_ids(session, [organization_id])).get(organization_id, 0)
    if last_event_id is None:
        return last_id
    if not last_id - KEPT <= last_event_id <= last_id:
        raise UnknownEventError
    if last_event_id < last_id:
        # Or a client would come back again and again for what is gone.
        await after(session, organization_id, last_event_id, 1)
    return last_event_id


async def after(session: AsyncSession, organization_id: UUID, event_id: int, limit: int) -> Sequence[Event]:
    """The organization's events that follow the one with this id.

    Raises:
        UnknownEventError: the first of them are no longer kept.
    """
    entries = select(EventEntry).where(
        EventEntry.organization_id == organization_id, EventEntry.id > event_id
    )
    found = (await session.scalars(entries.order_by(EventEntry.id).limit(limit))).all()
    if not found or found[0].id != event_id + 1:
        raise UnknownEventError
    return [Event(entry.id, entry.type, _message(entry)) for entry in found]


def _message(entry: EventEntry) -> str:
    moment = entry.created_at.isoformat().replace("+00:00", "Z")
    message = {"id": entry.id, "type": entry.type, "created_at": moment, "data": entry.data}
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))
