"""The pages: signing in and out, and one's profile."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from flask import Blueprint, Response, current_app, request
from pydantic import BaseModel, Field

from ..core.browsers import go, local, page, read_form
from ..core.problems import Problem
from ..core.schemas import Text, TrimmedText
from . import services, visitors
from .services import Credentials
from .visitors import current_visitor

# For who is not signed in yet.
open_pages = Blueprint("accounts-open-pages", __name__, template_folder="templates")
pages = Blueprint("accounts-pages", __name__)


class SignInForm(BaseModel):
    email: Annotated[TrimmedText, Field(max_length=254)]
    password: Annotated[Text, Field(max_length=1024)]
    next: str = ""


class OrganizationForm(BaseModel):
    organization: UUID


@open_pages.get("/")
def start() -> Response:
    return go(_start_page())


@open_pages.get(visitors.SIGN_IN)
def sign_in_form() -> Response:
    return _sign_in_page({"next": request.args.get("next", "")}, {})


@open_pages.post(visitors.SIGN_IN)
def sign_in() -> Response:
    """Begin a session, and go on to where somebody wanted to go."""
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
        visitors.begin(services.admit(credentials))
    except Problem as problem:
        wrong = {"": problem.detail}
        return _sign_in_page(form.values, wrong, status_code=problem.status, headers=problem.headers)
    return go(local(form.data.next) or _start_page())


@pages.post("/sign-out")
def sign_out() -> Response:
    visitors.sign_out(current_visitor())
    return go(visitors.SIGN_IN)


@pages.get("/profile")
def profile() -> Response:
    memberships = visitors.memberships_of(current_visitor().actor.user_id)
    return page("accounts/profile.html", memberships=memberships)


@pages.post("/organization")
def organization() -> Response:
    """Choose for which organization the session is.

    Raises:
        Problem: 403, the user is not in it.
    """
    form = read_form(OrganizationForm)
    if form.data is None:
        raise services.not_a_member()
    visitors.choose(current_visitor(), form.data.organization)
    return go(_start_page())


def _start_page() -> str:
    # The first that the navigation leads to.
    path: str = current_app.config["NAVIGATION"][0][1]
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
