"""Request and response bodies."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, WithJsonSchema

from ..core.schemas import RequestBody, Text, TrimmedText
from .contracts import Role, Scope

REFRESH_TOKEN = "EXAMPLE"  # noqa: S105 (an example)
EMAIL = "user@example.com"
_SCOPE = f"({'|'.join(Scope)})"
SCOPES_PATTERN = f"^({_SCOPE}( {_SCOPE})*)?$"


class CredentialsForm(BaseModel):
    """OAuth2's password grant (RFC 6749, 4.3). Clients may send more fields, which are ignored."""

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
            description="Separated by spaces. By default `read write`, as far as the role allows.",
        ),
    ] = ""
    organization: Annotated[
        UUID | None,
        WithJsonSchema({"type": "string", "format": "uuid"}),
        Field(description="One of the user's organizations; by default the one joined first."),
    ] = None

    def scopes(self) -> frozenset[Scope]:
        return frozenset(map(Scope, self.scope.split()))


class RefreshTokenForm(BaseModel):
    """OAuth2's refresh grant (RFC 6749, 6)."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"grant_type": "refresh_token", "refresh_token": REFRESH_TOKEN}]}
    )

    grant_type: Literal["refresh_token"]
    refresh_token: Annotated[Text, Field(max_length=1024)]


def _form_of(values: dict[str, Any]) -> str:
    is_refresh = values.get("grant_type") == "refresh_token"
    return (RefreshTokenForm if is_refresh else CredentialsForm).__name__


TokenForm = Annotated[
    Annotated[CredentialsForm, Tag("CredentialsForm")] | Annotated[RefreshTokenForm, Tag("RefreshTokenForm")],
    Discriminator(_form_of),
]


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
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 (the type of OAuth2)
    expires_in: Annotated[int, Field(description="Lifetime of the access token in seconds.")]
    refresh_token: Annotated[str, Field(description="Exchange it for new tokens, once.")]
    scope: Annotated[str, Field(description="The scopes of the access token.")]


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
