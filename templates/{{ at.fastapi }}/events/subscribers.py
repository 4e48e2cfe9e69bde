"""Publish the changes that other modules announce."""

from sqlalchemy.ext.asyncio import AsyncSession

from ..core.changes import Change
from .services import publish


async def on_change(session: AsyncSession, change: Change) -> None:
    await publish(session, organization_id=change.organization_id, event_type=change.type, data=change.data)
