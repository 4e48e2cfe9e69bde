"""Routes: a new password by mail."""

from fastapi import APIRouter, BackgroundTasks, Request, Response

from ..core.database import SessionDependency
from ..core.dependencies import SessionsDependency, SettingsDependency
from ..core.openapi import problems
from ..core.problems import FieldError, Problem
from . import password_resets
from .errors import TooManyAttemptsError
from .schemas import PasswordResetConfirmIn, PasswordResetIn

# Needs no access token.
open_password_resets = APIRouter(prefix="/api/v1/auth/password-reset", tags=["auth"])


@open_password_resets.post(
    "",
    summary="Ask for a mail to reset a password.",
    status_code=202,
    response_class=Response,
    responses=problems(422, TooManyAttemptsError),
)
async def request_password_reset(  # noqa: PLR0913, PLR0917 (one argument per dependency)
    body: PasswordResetIn,
    request: Request,
    session: SessionDependency,
    sessions: SessionsDependency,
    settings: SettingsDependency,
    background: BackgroundTasks,
) -> Response:
    """The response is the same for unknown addresses. Requests are limited per address and per client."""
    client = request.client.host if request.client else ""
    await password_resets.count_request(session, settings, email=body.email, client=client)
    background.add_task(password_resets.send, sessions, settings, email=body.email)
    return Response(status_code=202)


@open_password_resets.post(
    "/confirm",
    summary="Set a new password with the token of the mail.",
    status_code=204,
    responses=problems(422),
)
async def confirm_password_reset(
    body: PasswordResetConfirmIn, sessions: SessionsDependency, settings: SettingsDependency
) -> None:
    """The token is valid for an hour, once. All sessions and tokens of the user end."""
    if not await password_resets.confirm(
        sessions, settings, token=body.token, new_password=body.new_password
    ):
        wrong = FieldError(pointer="#/token", detail="The token is not valid any more; ask for a new one.")
        raise Problem(422, "The request is not valid; see errors.", errors=[wrong])
