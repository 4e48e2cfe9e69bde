"""Pages: signing in and out."""

from collections.abc import Mapping
from typing import Annotated

from flask import Blueprint, Response, current_app, request
from pydantic import BaseModel, Field

from ..core.browsers import go, local, page, read_form
from ..core.problems import Problem
from ..core.schemas import Text, TrimmedText
from . import services, visitors
from .services import Credentials
from .visitors import current_visitor

# Without a session.
open_pages = Blueprint("accounts-open-pages", __name__, template_folder="templates")
pages = Blueprint("accounts-pages", __name__)
pages.before_app_request(visitors.require_session)


class SignInForm(BaseModel):
    email: Annotated[TrimmedText, Field(max_length=254)]
    password: Annotated[Text, Field(max_length=1024)]
    next: str = ""


@open_pages.get("/")
def start() -> Response:
    return go(_start_page())


@open_pages.get(visitors.SIGN_IN)
def sign_in_form() -> Response:
    return _sign_in_page({"next": request.args.get("next", "")}, {})


@open_pages.post(visitors.SIGN_IN)
def sign_in() -> Response:
    """Start a session, and go on to the page that was asked for."""
    form = read_form(SignInForm)
    if form.data is None:
        return _sign_in_page(form.values, form.errors, status_code=422)
    credentials = Credentials(
        email=form.data.email,
        password=form.data.password,
        client=request.remote_addr or "",
        organization_id=None,
        scopes=frozenset(),
    )
    try:
        visitors.begin(services.authenticate(credentials))
    except Problem as problem:
        wrong = {"": problem.detail}
        return _sign_in_page(form.values, wrong, status_code=problem.status, headers=problem.headers)
    return go(local(form.data.next) or _start_page())


@pages.post("/sign-out")
def sign_out() -> Response:
    visitors.sign_out(current_visitor())
    return go(visitors.SIGN_IN)


def _start_page() -> str:
    path: str = current_app.config["START_PAGE"]
    return path


def _sign_in_page(
    values: Mapping[str, str],
    errors: Mapping[str, str],
    *,
    status_code: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    return page(
        "accounts/sign_in.html", status_code=status_code, headers=headers, values=values, errors=errors
    )
