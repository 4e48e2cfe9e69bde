"""Writes to the signed-in user: name, password, sessions."""

from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from ..core.database import Sessions
from ..core.settings import Settings
from . import passwords, queries, services
from .contracts import Actor
from .errors import WrongCredentialsError
from .models import BrowserSession, Membership, RefreshToken, User
from .services import Credentials, record_user


async def change_name(session: AsyncSession, *, actor: Actor, name: str) -> None:
    """Change the name of a user."""
    user = await services.lock_user(session, actor.user_id)
    if user.name == name:
        return
    before, user.name = user.name, name
    await record_user(session, user.id, "user.changed", actor=actor, changes={"name": [before, name]})


async def change_password(
    sessions: Sessions, settings: Settings, *, credentials: Credentials, new_password: str
) -> None:
    """Change the password of the user with these credentials; all sessions and tokens end.

    Raises:
        WrongCredentialsError: the current password is wrong.
        TooManyAttemptsError: rate limited.
    """
    user = await services.check_password(sessions, settings, credentials)
    new_hash = await passwords.hash_password(new_password)
    async with sessions.begin() as session:
        await services.reset_failures(session, credentials)
        if not await replace_password(session, user, new_hash):
            raise WrongCredentialsError


async def replace_password(session: AsyncSession, user: User, new_hash: str) -> bool:
    """Store a new password and end all sessions; return False if it was changed since the user was loaded."""
    same = (User.id == user.id, User.password_hash == user.password_hash)
    changing = update(User).where(*same).values(password_hash=new_hash).returning(User.id)
    if await session.scalar(changing) is None:
        return False
    await end_sessions(session, user.id)
    member = await queries.get_member_of(session, user_id=user.id)
    actor = member and member.actor()
    await record_user(session, user.id, "user.changed", actor=actor, changes={"fields": ["password"]})
    return True


async def sign_out_everywhere(session: AsyncSession, *, actor: Actor) -> None:
    """End all sessions of a user; access tokens expire by themselves."""
    await end_sessions(session, actor.user_id)
    await record_user(session, actor.user_id, "user.signed_out", actor=actor, changes={})


async def end_sessions(session: AsyncSession, user_id: UUID) -> None:
    """Delete the refresh tokens and browser sessions of a user."""
    memberships = select(Membership.id).where(Membership.user_id == user_id)
    for model in (RefreshToken, BrowserSession):
        await session.execute(delete(model).where(model.membership_id.in_(memberships)))
