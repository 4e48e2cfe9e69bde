"""Routes: sign in and out."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from ..core.database import SessionDependency
from ..core.dependencies import SessionsDependency, SettingsDependency
from ..core.openapi import problems
from ..core.settings import Settings
from . import services
from .dependencies import RefreshToken
from .errors import (
    InvalidTokenError,
    NotAMemberError,
    NotSignedInError,
    TooManyAttemptsError,
    WrongCredentialsError,
)
from .permissions import DEFAULT_SCOPES
from .schemas import RefreshTokenForm, TokenForm, TokenOut
from .services import Credentials, Grant

NO_STORE = {"Cache-Control": "no-store"}

# Routes that need no access token.
open_auth = APIRouter(prefix="/api/v1/auth", tags=["auth"])


@open_auth.post(
    "/token",
    summary="Exchange a password or a refresh token for tokens.",
    responses=problems(422, WrongCredentialsError, InvalidTokenError, NotAMemberError, TooManyAttemptsError),
)
async def create_token(
    form: Annotated[TokenForm, Form()],
    request: Request,
    response: Response,
    sessions: SessionsDependency,
    settings: SettingsDependency,
) -> TokenOut:
    """`grant_type` is `password` or `refresh_token` (RFC 6749).

    Tokens are for one organization, and end when the password changes. Failed attempts are limited per
    account and client, and per client. A refresh token is valid once: see `/api/v1/auth/refresh`.
    """
    if isinstance(form, RefreshTokenForm):
        return await _refresh(form.refresh_token, response, sessions, settings)
    credentials = Credentials(
        email=form.username,
        password=form.password,
        client=request.client.host if request.client else "",
        organization_id=form.organization,
        scopes=form.scopes() or DEFAULT_SCOPES,
    )
    return _token_out(await services.sign_in(sessions, settings, credentials), response)


@open_auth.post(
    "/refresh",
    summary="Exchange a refresh token for new tokens.",
    responses=problems(422, NotSignedInError, InvalidTokenError),
)
async def refresh(
    token: RefreshToken, response: Response, sessions: SessionsDependency, settings: SettingsDependency
) -> TokenOut:
    """A refresh token is valid once.

    If it is used again, all tokens of that sign-in end, since one of the two clients may have stolen it
    (RFC 9700, 4.14). So only one tab of a client may refresh.
    """
    return await _refresh(token, response, sessions, settings)


@open_auth.post(
    "/revoke",
    summary="Sign out: revoke all refresh tokens of this sign-in.",
    status_code=204,
    responses=problems(422, NotSignedInError, InvalidTokenError),
)
async def revoke(token: RefreshToken, session: SessionDependency) -> None:
    """Access tokens expire by themselves."""
    if not await services.revoke(session, token=token):
        raise InvalidTokenError


async def _refresh(
    token: str, response: Response, sessions: SessionsDependency, settings: Settings
) -> TokenOut:
    # Committed before the error is raised: a reused token revokes its family.
    async with sessions.begin() as session:
        grant = await services.refresh(session, settings, token=token)
    if grant is None:
        raise InvalidTokenError
    return _token_out(grant, response)


def _token_out(grant: Grant, response: Response) -> TokenOut:
    response.headers.update(NO_STORE)
    return TokenOut.model_validate(grant)
