"""What the routes of this module take and answer."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from ..core.schemas import RequestBody, Text, TrimmedText
from .contracts import Role, Scope

EMAIL = "user@example.com"
REFRESH_TOKEN = "EXAMPLE"  # noqa: S105 (an example)
SCOPES_PATTERN = "^((read|write)( (read|write))*)?$"


class CredentialsForm(BaseModel):
    """OAuth2's password form; other fields, which clients send along, are ignored (RFC 6749, 3.2)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"grant_type": "password", "username": EMAIL, "password": "correct horse battery staple"}
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


class RefreshTokenIn(RequestBody):
    model_config = ConfigDict(json_schema_extra={"examples": [{"refresh_token": REFRESH_TOKEN}]})

    refresh_token: Annotated[Text, Field(max_length=1024)]


class TokenOut(BaseModel):
    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "access_token": "eyJhbGciOiJIUzI1NiJ9.e30.signature",
                    "token_type": "bearer",
                    "expires_in": 900,
                    "refresh_token": REFRESH_TOKEN,
                    "scope": "read write",
                }
            ]
        },
    )

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 (what OAuth2 calls it)
    expires_in: Annotated[int, Field(description="Seconds until the access token is over.")]
    refresh_token: Annotated[str, Field(description="Good for new tokens, once.")]
    scope: Annotated[str, Field(description="What the access token may be used for.")]


class OrganizationOut(BaseModel):
    id: UUID
    name: str


class MeOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "7d0a6f3e-5a0b-4a55-9d0c-2f0f6f0c7a11",
                    "email": EMAIL,
                    "organization": {"id": "3b1f8f9c-8f0e-4f0a-8d55-0c9a3c1e2d22", "name": "Acme"},
                    "role": "owner",
                }
            ]
        }
    )

    id: UUID
    email: str
    organization: OrganizationOut
    role: Role
