"""What the routes of this module take and answer."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from ..core.schemas import Text, TrimmedText
from .contracts import Role, Scope

SCOPES_PATTERN = "^((read|write)( (read|write))*)?$"


class CredentialsForm(BaseModel):
    """OAuth2's password form; other fields, which clients send along, are ignored (RFC 6749, 3.2)."""

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
    model_config = ConfigDict(from_attributes=True)

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 (what OAuth2 calls it)
    expires_in: Annotated[int, Field(description="Seconds until the access token is over.")]
    refresh_token: Annotated[str, Field(description="Good for new tokens, once.")]
    scope: Annotated[str, Field(description="What the access token may be used for.")]


class OrganizationOut(BaseModel):
    id: UUID
    name: str


class MeOut(BaseModel):
    id: UUID
    email: str
    organization: OrganizationOut
    role: Role
