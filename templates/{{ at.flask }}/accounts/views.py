"""HTTP: signing in. `flask tokens create` makes tokens for other services."""

from apiflask import APIBlueprint
from flask import request

from . import services
from .auth import require_token
from .schemas import CredentialsForm, TokenOut
from .services import Credentials

blueprint = APIBlueprint("accounts", __name__, tag="auth", url_prefix="/api/v1/auth")
blueprint.before_app_request(require_token)


@blueprint.post("/token")
@blueprint.input(CredentialsForm, location="form")
@blueprint.output(TokenOut)
@blueprint.doc(
    operation_id="auth_create_token",
    responses={
        401: "The e-mail address or the password is wrong.",
        403: "The user is not a member of the organization, or of any.",
        429: "Too many failed attempts.",
    },
)
def create_token(form_data: CredentialsForm) -> tuple[TokenOut, dict[str, str]]:
    """Exchange an e-mail address and a password for a token.

    The token stands for the user in one organization. Failed attempts are rate limited.
    """
    credentials = Credentials(
        email=form_data.username,
        password=form_data.password,
        client=request.remote_addr or "",
        organization_id=form_data.organization,
        scopes=form_data.scopes(),
    )
    issued = services.sign_in(credentials)
    token = TokenOut(access_token=issued.access_token, expires_in=issued.expires_in, scope=issued.scope)
    return token, {"Cache-Control": "no-store"}
