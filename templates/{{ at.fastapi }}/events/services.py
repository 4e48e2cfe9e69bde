"""Writes. Services flush; the request commits."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from ..core.inserts import insert_into
from .models import DELETE_EVERY, KEPT, EventCounter, EventEntry

# The channel of PostgreSQL's NOTIFY.
CHANNEL = "events"


async def publish(
    session: AsyncSession, *, organization_id: UUID, event_type: str, data: Mapping[str, object]
) -> None:
    """Publish an event in the caller's transaction; subscribers receive it after the commit.

    Call it last: it locks the organization's counter until the commit. So ids follow the order of the
    commits, and a client that has seen one has seen all before it.

    Args:
        session: the caller's.
        organization_id: the tenant whose members receive it.
        event_type: such as `invoice.voided`; feeds select by prefix.
        data: JSON that the subscribers may see.
    """
    counting = (
        insert_into(session, EventCounter)
        .values(organization_id=organization_id, last_id=1)
        .on_conflict_do_update(
            index_elements=[EventCounter.organization_id], set_={"last_id": EventCounter.last_id + 1}
        )
        .returning(EventCounter.last_id)
    )
    event_id = (await session.scalars(counting)).one()
    session.add(EventEntry(organization_id=organization_id, id=event_id, type=event_type, data=dict(data)))
    await session.flush()
    if event_id % DELETE_EVERY == 0:
        expired = (EventEntry.organization_id == organization_id, EventEntry.id <= event_id - KEPT)
        await session.execute(delete(EventEntry).where(*expired))
    if session.get_bind().dialect.name == "postgresql":
        # PostgreSQL delivers it after the commit.
        await session.execute(select(func.pg_notify(CHANNEL, str(organization_id))))
