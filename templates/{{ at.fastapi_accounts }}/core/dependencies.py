"""Dependencies of routes, besides the sessions in `database`."""

from typing import Annotated

from fastapi import Depends, Request

from .database import Sessions
from .settings import Settings


async def get_settings_in_use(request: Request) -> Settings:
    """Return the settings that the application was created with."""
    settings: Settings = request.state.settings
    return settings


async def get_sessions(request: Request) -> Sessions:
    sessions: Sessions = request.state.sessions
    return sessions


SettingsDependency = Annotated[Settings, Depends(get_settings_in_use)]
# For a route with more than one transaction.
SessionsDependency = Annotated[Sessions, Depends(get_sessions)]
