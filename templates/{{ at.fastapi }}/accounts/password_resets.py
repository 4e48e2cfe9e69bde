"""A new password by mail: the token is signed, and ends with the password that it replaces."""

from fastapi.concurrency import run_in_threadpool
from sqlalchemy.ext.asyncio import AsyncSession

from ..core import mail
from ..core.database import Sessions
from ..core.settings import Settings
from . import passwords, profile, queries, services, tokens
from .addresses import normalize_email
from .models import User
from .services import digest


async def count_request(session: AsyncSession, settings: Settings, *, email: str, client: str) -> None:
    """Count a request for the rate limits, per address and per client.

    Raises:
        TooManyAttemptsError: one of the limits is reached.
    """
    limits = {
        digest(f"reset\n{normalize_email(email)}"): settings.sign_in_failures_per_account,
        digest(f"reset\n\n{client}"): settings.sign_in_failures_per_client,
    }
    await services.count_attempt(session, settings, limits)


async def send(sessions: Sessions, settings: Settings, *, email: str) -> None:
    """Send a token to the user with this address. After the response, its time does not reveal accounts."""
    async with sessions() as session:
        user = await queries.get_user_by_email(session, email)
    if user is None or not user.is_active:
        return
    token = tokens.issue_reset(settings.secret_key, user.id, user.password_hash)
    await run_in_threadpool(
        mail.send,
        settings,
        user.email,
        "accounts/mail/password_reset",
        email=user.email,
        link=f"{settings.public_url}/reset-password?token={token}",
        token=token,
    )


async def confirm(sessions: Sessions, settings: Settings, *, token: str, new_password: str) -> bool:
    """Replace the password; all sessions and tokens end. Return whether the token is valid."""
    claims = tokens.verify_reset(settings.secret_key, token)
    if claims is None:
        return False
    async with sessions() as session:
        user = await session.get(User, claims.user_id)
    if user is None or not user.is_active:
        return False
    if claims.fingerprint != tokens.fingerprint(settings.secret_key, user.password_hash):
        return False
    new_hash = await passwords.hash_password(new_password)
    async with sessions.begin() as session:
        return await profile.replace_password(session, user, new_hash)
