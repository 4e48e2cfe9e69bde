"""Pages: sign in and out."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from ..core.browsers import Link, go, local, page, read_form, start_page
from ..core.database import SessionDependency
from ..core.dependencies import SessionsDependency, SettingsDependency
from ..core.schemas import Text, TrimmedText
from . import visitors
from .errors import NotAMemberError, TooManyAttemptsError, WrongCredentialsError
from .services import Credentials
from .visitors import VisitorDependency

# Pages that need no session.
open_pages = APIRouter()
pages = APIRouter()
NAVIGATION: list[Link] = []


class SignInForm(BaseModel):
    email: Annotated[TrimmedText, Field(max_length=254)]
    password: Annotated[Text, Field(max_length=1024)]
    next: str = ""


@open_pages.get(visitors.SIGN_IN)
async def sign_in_form(request: Request) -> Response:
    return _sign_in_page(request, {"next": request.query_params.get("next", "")}, {})


@open_pages.post(visitors.SIGN_IN)
async def sign_in(request: Request, sessions: SessionsDependency, settings: SettingsDependency) -> Response:
    """Start a session, and redirect to the page that was requested."""
    form = await read_form(request, SignInForm)
    if form.data is None:
        return _sign_in_page(request, form.values, form.errors, status_code=422)
    credentials = Credentials(
        email=form.data.email,
        password=form.data.password,
        client=request.client.host if request.client else "",
        organization_id=None,
        scopes=frozenset(),
    )
    try:
        token = await visitors.sign_in(
            sessions,
            settings,
            credentials,
            replaced=visitors.token_of(request, settings),
        )
    except (WrongCredentialsError, TooManyAttemptsError, NotAMemberError) as error:
        wrong = {"": error.detail}
        return _sign_in_page(request, form.values, wrong, status_code=error.status, headers=error.headers)
    response = go(local(form.data.next) or start_page(request))
    visitors.keep_token(response, settings, token)
    return response


@pages.post("/sign-out")
async def sign_out(
    visitor: VisitorDependency, session: SessionDependency, settings: SettingsDependency
) -> Response:
    await visitors.sign_out(session, visitor)
    response = go(visitors.SIGN_IN)
    visitors.forget_token(response, settings)
    return response


def _sign_in_page(
    request: Request,
    values: Mapping[str, str],
    errors: Mapping[str, str],
    *,
    status_code: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    return page(
        request,
        "accounts/sign_in.html",
        status_code=status_code,
        headers=headers,
        values=values,
        errors=errors,
    )
