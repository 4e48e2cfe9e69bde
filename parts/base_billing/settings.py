class SeedSettings(CoreSettings):
    """The password of the demo users."""

    seed_password: SecretStr | None = None


