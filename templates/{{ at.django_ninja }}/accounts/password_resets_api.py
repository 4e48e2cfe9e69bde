"""The HTTP API of a new password by mail."""

from django.http import HttpRequest
from ninja import Field, Router, Schema
from pydantic import ConfigDict

from ..core.openapi import problem
from ..core.schemas import Text
from . import password_resets
from .me_api import Address, Password

router = Router(tags=["auth"], auth=None)


class PasswordReset(Schema):
    model_config = ConfigDict(extra="forbid")

    email: Address


class PasswordResetConfirmation(Schema):
    model_config = ConfigDict(extra="forbid")

    token: Text = Field(max_length=1024)
    new_password: Password


@router.post(
    "auth/password-reset",
    operation_id="auth_request_password_reset",
    summary="Ask for a mail to reset a password.",
    response={202: None},
    openapi_extra={"responses": problem(429, "TooManyRequestsProblem", "Too many requests")},
)
def request_password_reset(request: HttpRequest, reset: PasswordReset) -> None:
    """The response is the same for unknown addresses. Requests are limited per address and per client."""
    password_resets.send(request, email=reset.email)


@router.post(
    "auth/password-reset/confirm",
    operation_id="auth_confirm_password_reset",
    summary="Set a new password with the token of the mail.",
    response={204: None},
)
def confirm_password_reset(request: HttpRequest, confirmation: PasswordResetConfirmation) -> None:
    """The token is valid for an hour, once. All sessions and tokens of the user end."""
    password_resets.confirm(**confirmation.dict())
