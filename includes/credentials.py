EMAIL = "user@example.com"
_SCOPE = f"({'|'.join(Scope)})"
SCOPES_PATTERN = f"^({_SCOPE}( {_SCOPE})*)?$"


class CredentialsForm(BaseModel):
    """The form of OAuth2's password grant. Unknown fields are ignored (RFC 6749, 3.2)."""

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
            description="Separated by spaces; by default `read write`, as far as the role allows.",
        ),
    ] = ""
    # None means absent; the API does not accept null.
    organization: Annotated[
        UUID | None,
        WithJsonSchema({"type": "string", "format": "uuid"}),
        Field(description="One of the user's organizations; by default the one joined first."),
    ] = None

    def scopes(self) -> frozenset[Scope]:
{% if framework == 'fastapi' %}
        """Return the requested scopes, which may be none."""
        return frozenset(map(Scope, self.scope.split()))
{% else %}
        """Return the requested scopes, or all scopes if none are requested."""
        return frozenset(map(Scope, self.scope.split() or Scope))
{% endif %}


