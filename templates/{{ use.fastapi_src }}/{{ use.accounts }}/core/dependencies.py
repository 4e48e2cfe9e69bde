"""What a route can ask for besides its session; FastAPI would run what is not async in a thread."""

from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from .database import get_sessions
from .settings import Settings


async def get_settings_in_use(request: Request) -> Settings:
    """What the application was made with."""
    settings: Settings = request.state.settings
    return settings


SettingsDependency = Annotated[Settings, Depends(get_settings_in_use)]
# For a route that needs more than one transaction.
SessionsDependency = Annotated[async_sessionmaker[AsyncSession], Depends(get_sessions)]
