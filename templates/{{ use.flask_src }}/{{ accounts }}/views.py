"""The HTTP face: signing in. Other tokens are made by `flask tokens create`."""

from typing import Annotated, Literal
from uuid import UUID

from apiflask import APIBlueprint
from flask import request
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from ..core.schemas import Text, TrimmedText
from . import services
from .commands import organizations, tokens
from .contracts import Scope
from .services import Credentials

SCOPES_PATTERN = "^((read|write)( (read|write))*)?$"

blueprint = APIBlueprint("accounts", __name__, tag="Auth", url_prefix="/api/v1/auth", cli_group=None)
blueprint.cli.add_command(organizations)
blueprint.cli.add_command(tokens)


class CredentialsForm(BaseModel):
    """OAuth2's password form; other fields, which clients send along, are ignored (RFC 6749, 3.2)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "grant_type": "password",
                    "username": "user@example.com",
                    "password": "correct horse battery staple",
                }
            ]
        }
    )

    grant_type: Literal["password"] = "password"
    username: Annotated[TrimmedText, Field(max_length=254, description="The user's e-mail address.")]
    password: Annotated[Text, Field(max_length=1024)]
    scope: Annotated[
        str,
        Field(
            pattern=SCOPES_PATTERN,
            max_length=100,
            description="With blanks between; by default all that the role allows.",
        ),
    ] = ""
    # None stands for what was not sent; the contract knows no null here.
    organization: Annotated[
        UUID | None,
        WithJsonSchema({"type": "string", "format": "uuid"}),
        Field(description="For which of the user's organizations; by default the one joined first."),
    ] = None

    def scopes(self) -> frozenset[Scope]:
        """What was asked for."""
        return frozenset(map(Scope, self.scope.split() or Scope))


class TokenOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "access_token": "tok_EXAMPLE",
                    "token_type": "bearer",
                    "expires_in": 3600,
                    "scope": "read write",
                }
            ]
        }
    )

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 (what OAuth2 calls it)
    expires_in: Annotated[int, Field(description="Seconds until the token is over.")]
    scope: Annotated[str, Field(description="What the token may be used for.")]


@blueprint.post("/token")
@blueprint.input(CredentialsForm, location="form")
@blueprint.output(TokenOut)
@blueprint.doc(
    operation_id="auth_token",
    responses={
        401: "Wrong credentials",
        403: "Not a member",
        429: "Too many attempts",
        503: "Too many sign in at once",
    },
)
def sign_in(form_data: CredentialsForm) -> tuple[TokenOut, dict[str, str]]:
    """Exchange an e-mail address and a password for a token.

    It stands for the user in one organization. After ten failures in a row, further attempts are refused for
    a quarter of an hour.
    """
    credentials = Credentials(
        email=form_data.username,
        password=form_data.password,
        client=request.remote_addr or "",
        organization_id=form_data.organization,
        scopes=form_data.scopes(),
    )
    granted = services.sign_in(credentials)
    token = TokenOut(access_token=granted.access_token, expires_in=granted.expires_in, scope=granted.scope)
    return token, {"Cache-Control": "no-store"}
