EMAIL = "user@example.com"
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


