"""What is written to the database. Services flush; the request commits."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from ..core.inserts import insert_into
from .models import DELETE_EVERY, KEPT, EventCounter, EventEntry

# What PostgreSQL calls the notifications of this module.
CHANNEL = "events"


async def publish(
    session: AsyncSession, *, organization_id: UUID, event_type: str, data: Mapping[str, object]
) -> None:
    """Save an event in the caller's transaction; who follows the organization gets it after the commit.

    Call it last: from here to the commit, others who publish for the organization wait. That makes ids follow
    one another in the order of the commits, so nobody who saw one of them can have missed one before.

    Args:
        session: the caller's.
        organization_id: whose event it is.
        event_type: what happened, such as `invoice.voided`; a feed picks by how it begins.
        data: what those who follow may see of it, as JSON has it.
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
    entry = EventEntry(organization_id=organization_id, id=event_id, type=event_type, data=dict(data))
    session.add(entry)
    await session.flush()
    if event_id % DELETE_EVERY == 0:
        too_old = (EventEntry.organization_id == organization_id, EventEntry.id <= event_id - KEPT)
        await session.execute(delete(EventEntry).where(*too_old))
    if session.get_bind().dialect.name == "postgresql":
        # Delivered when the transaction is committed.
        await session.execute(select(func.pg_notify(CHANNEL, str(organization_id))))
