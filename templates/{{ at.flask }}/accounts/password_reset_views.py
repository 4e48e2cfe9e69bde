"""HTTP: a new password by mail."""

from http import HTTPStatus

from apiflask import APIBlueprint
from flask import request

from ..core.openapi import Responses
from . import password_resets
from .schemas import PasswordResetConfirmIn, PasswordResetIn

# A description alone would document a JSON body.
ACCEPTED: Responses = {
    202: {"description": "Successful response"},
    429: {"description": "Too many requests."},
}

blueprint = APIBlueprint(
    "accounts-password-resets", __name__, tag="auth", url_prefix="/api/v1/auth/password-reset"
)


@blueprint.post("")
@blueprint.input(PasswordResetIn)
@blueprint.doc(operation_id="auth_request_password_reset", responses=ACCEPTED)
def request_password_reset(json_data: PasswordResetIn) -> tuple[str, int]:
    """Ask for a mail to reset a password.

    The response is the same for unknown addresses. Requests are limited per address and per client.
    """
    password_resets.request_mail(email=json_data.email, client=request.remote_addr or "")
    return "", HTTPStatus.ACCEPTED


@blueprint.post("/confirm")
@blueprint.input(PasswordResetConfirmIn)
@blueprint.output({}, status_code=HTTPStatus.NO_CONTENT)
@blueprint.doc(operation_id="auth_confirm_password_reset")
def confirm_password_reset(json_data: PasswordResetConfirmIn) -> str:
    """Set a new password with the token of the mail.

    The token is valid for an hour, once. All sessions and sign-in tokens of the user end.
    """
    password_resets.confirm(token=json_data.token, new_password=json_data.new_password)
    return ""
