"""The routes of this module: signing in, staying so, and who one is."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from ..core.database import SessionDependency, transaction
from ..core.dependencies import SessionsDependency, SettingsDependency
from ..core.openapi import problems
from . import queries, services
from .dependencies import Reader, RefreshToken
from .errors import (
    InvalidTokenError,
    MissingScopeError,
    NotAMemberError,
    NotSignedInError,
    TooManyAttemptsError,
    TooManySignInsError,
    WrongCredentialsError,
)
from .schemas import CredentialsForm, MeOut, OrganizationOut, TokenOut
from .services import Credentials

NO_STORE = {"Cache-Control": "no-store"}

# What nobody has a token for yet.
auth = APIRouter(prefix="/api/v1/auth", tags=["auth"])
router = APIRouter(tags=["accounts"])


@auth.post(
    "/token",
    responses=problems(
        422, WrongCredentialsError, NotAMemberError, TooManyAttemptsError, TooManySignInsError
    ),
)
async def token(
    form: Annotated[CredentialsForm, Form()],
    request: Request,
    response: Response,
    sessions: SessionsDependency,
    settings: SettingsDependency,
) -> TokenOut:
    """Tokens for the API, in exchange for an e-mail address and a password.

    They stand for the user in one organization, and end when the password changes. After ten failures in
    a row, further attempts are refused for a quarter of an hour.
    """
    credentials = Credentials(
        email=form.username,
        password=form.password,
        client=request.client.host if request.client else "",
        organization_id=form.organization,
        scopes=form.scopes(),
    )
    granted = await services.sign_in(sessions, secret_key=settings.secret_key, credentials=credentials)
    response.headers.update(NO_STORE)
    return TokenOut.model_validate(granted)


@auth.post("/refresh", responses=problems(422, NotSignedInError, InvalidTokenError))
async def refresh(
    token: RefreshToken, response: Response, sessions: SessionsDependency, settings: SettingsDependency
) -> TokenOut:
    """New tokens, in exchange for a refresh token, which is good once.

    When it comes a second time, everything that came from the same sign-in ends, since one of the two who
    had it was not meant to (RFC 9700, 4.14). So of several tabs of a client, only one may ask.
    """
    # Here rather than around the route, so that what a refusal changes is kept.
    async with transaction(sessions) as session:
        granted = await services.refresh(session, secret_key=settings.secret_key, token=token)
    if granted is None:
        raise InvalidTokenError
    response.headers.update(NO_STORE)
    return TokenOut.model_validate(granted)


@auth.post("/revoke", status_code=204, responses=problems(422, NotSignedInError, InvalidTokenError))
async def revoke(token: RefreshToken, session: SessionDependency) -> None:
    """Sign out: end all refresh tokens of this sign-in. Access tokens end by themselves."""
    if not await services.revoke(session, token=token):
        raise InvalidTokenError


@router.get("/me", responses=problems(MissingScopeError))
async def me(actor: Reader, session: SessionDependency) -> MeOut:
    """Who is asking, and for which organization."""
    name = await queries.organization_name(session, actor.organization_id)
    return MeOut(
        id=actor.user_id,
        email=actor.email,
        organization=OrganizationOut(id=actor.organization_id, name=name),
        role=actor.role,
    )
