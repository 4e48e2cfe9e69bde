"""The HTTP API of tokens; that of users, members and invitations is in the files `…_api.py`."""

from typing import Annotated, Literal
from uuid import UUID

from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest, HttpResponse
from ninja import Field, Form, Router, Schema
from pydantic import ConfigDict, StringConstraints, WithJsonSchema

from ..core.openapi import problem
from ..core.problems import Problem
from ..core.schemas import Text
from . import (
    invitations,
    invitations_api,
    me_api,
    members_api,
    password_resets_api,
    queries,
    throttling,
    tokens,
)
from .errors import InvalidCredentialsError
from .me_api import Name, Password

router = Router()
router.add_router("", me_api.router)
router.add_router("", members_api.router)
router.add_router("", invitations_api.router)
router.add_router("", password_resets_api.router)


class Credentials(Schema):
    """The form of OAuth2's password grant; unknown fields are ignored (RFC 6749, 3.2)."""

    grant_type: Literal["password"] = "password"
    username: Text = Field(max_length=254, description="The user's e-mail address.")
    password: Annotated[str, StringConstraints(min_length=1, max_length=1024, pattern=r"^[^\u0000]*$")]
    organization: Annotated[UUID | None, WithJsonSchema({"type": "string", "format": "uuid"})] = Field(
        None, description="One of the user's organizations; by default the one joined first."
    )


class Token(Schema):
    access_token: str
    token_type: Literal["bearer"]
    expires_in: int = Field(description="Seconds.")


class Acceptance(Schema):
    model_config = ConfigDict(extra="forbid")

    token: Text = Field(max_length=1024)
    password: Password
    name: Name = ""


@router.post(
    "auth/token",
    auth=None,
    operation_id="auth_create_token",
    tags=["auth"],
    summary="Exchange an e-mail address and a password for a token.",
    url_name="auth-token",
    response=Token,
    openapi_extra={
        "responses": {
            **problem(400, "BadRequestProblem", "The form cannot be read"),
            **problem(401, "InvalidCredentialsProblem", "The e-mail address or the password is wrong"),
            **problem(403, "NotAMemberProblem", "The user is not a member of the organization"),
            **problem(429, "TooManyRequestsProblem", "Too many failed sign-ins"),
        }
    },
)
def create_token(
    request: HttpRequest, credentials: Form[Credentials], response: HttpResponse
) -> dict[str, object]:
    """Sign in for one organization.

    The token ends when the password changes. After too many failures the address or the client is refused
    for a while.
    """
    user = throttling.sign_in(request, credentials.username, credentials.password)
    if user is None:
        raise InvalidCredentialsError
    user_logged_in.send(sender=type(user), request=request, user=user)
    membership = queries.membership_of(user.pk, credentials.organization)
    if membership is None:
        raise Problem(403, "You are not a member of this organization, or of any.")
    response.headers["Cache-Control"] = "no-store"
    return tokens.response(membership)


@router.post(
    "invitations/accept",
    auth=None,
    operation_id="accounts_accept_invitation",
    tags=["accounts"],
    summary="Accept an invitation with the token of the mail, and sign in.",
    response=Token,
    openapi_extra={
        "responses": {
            **problem(401, "InvalidCredentialsProblem", "The user has another password"),
            **problem(404, "InvitationNotFoundProblem", "The token is not valid any more"),
            **problem(429, "TooManyRequestsProblem", "Too many failed sign-ins"),
        }
    },
)
def accept_invitation(
    request: HttpRequest, acceptance: Acceptance, response: HttpResponse
) -> dict[str, object]:
    """A new user gets this password and name. A user with the invited address needs their own password."""
    membership = invitations.accept(request, **acceptance.dict())
    user_logged_in.send(sender=type(membership.user), request=request, user=membership.user)
    response.headers["Cache-Control"] = "no-store"
    return tokens.response(membership)
