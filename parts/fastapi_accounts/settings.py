class TokenSettings(CoreSettings):
    """Lifetimes of the tokens of the API."""

    access_token_seconds: int = Field(default=900, ge=1)
    refresh_token_seconds: int = Field(default=30 * 24 * 3600, ge=1)


