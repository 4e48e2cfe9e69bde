"""The HTTP API: tokens."""

from typing import Annotated, Literal
from uuid import UUID

from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest, HttpResponse
from ninja import Form
from pydantic import BaseModel, Field, WithJsonSchema

from ..core.problems import Problem
from ..core.rest import AnswerSchema, JsonText, Router, Text, problem_answer
from . import queries, throttling, tokens

CHALLENGE = {"WWW-Authenticate": "Bearer"}

router = Router(tags=["auth"])


class CredentialsRequest(BaseModel):
    """OAuth2's password form; other fields, which clients send along, are ignored (RFC 6749, 3.2)."""

    grant_type: Literal["password"] = "password"
    username: JsonText = Field(max_length=254, description="The user's e-mail address.")
    password: Text = Field(max_length=1024)
    organization: Annotated[UUID | None, WithJsonSchema({"type": "string", "format": "uuid"})] = Field(
        None, description="For which of the user's organizations; by default the one joined first."
    )


class Token(AnswerSchema):
    access_token: str
    token_type: Literal["bearer"]
    expires_in: int = Field(description="Seconds.")


@router.post(
    "auth/token",
    auth=None,
    operation_id="auth_token",
    url_name="auth-token",
    response=Token,
    openapi_extra={"responses": {status: problem_answer() for status in (400, 401, 403, 415, 429)}},
)
def token(
    request: HttpRequest, credentials: Form[CredentialsRequest], response: HttpResponse
) -> dict[str, object]:
    """A token for the API, in exchange for an e-mail address and a password.

    It stands for the user in one organization, and ends when the password changes. After ten failures in
    a row, further attempts are refused for a quarter of an hour.
    """
    user = authenticate(request, username=credentials.username, password=credentials.password)
    if user is None:
        throttling.require_allowed(request)
        raise Problem(401, "The e-mail address or the password is wrong.", headers=CHALLENGE)
    user_logged_in.send(sender=type(user), request=request, user=user)
    membership = queries.membership_of(user.pk, credentials.organization)
    if membership is None:
        raise Problem(403, "You are not a member of this organization, or of any.")
    response.headers["Cache-Control"] = "no-store"
    return {
        "access_token": tokens.issue(membership),
        "token_type": "bearer",
        "expires_in": int(tokens.LIFETIME.total_seconds()),
    }
