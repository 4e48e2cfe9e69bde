class SignInSettings(CoreSettings):
    """Failed sign-ins until the next is answered with 429, per account and client, and per client."""

    sign_in_failures_per_account: int = Field(default=10, ge=1)
    sign_in_failures_per_client: int = Field(default=50, ge=1)
    sign_in_window_seconds: int = Field(default=900, ge=1)


