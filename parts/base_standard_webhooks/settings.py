class WebhookSettings(CoreSettings):
    """The secrets that webhooks are signed with, as `whsec_` and base64 of 24 bytes or more."""

    webhook_secrets: Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split)] = ()

    @field_validator("webhook_secrets")
    @classmethod
    def _check_secrets(cls, value: tuple[SecretStr, ...], info: ValidationInfo) -> tuple[SecretStr, ...]:
        secrets = tuple(secret for secret in value if secret.get_secret_value() != SAMPLE_SECRET)
        if _in_production(info) and (not secrets or secrets != value):
            raise ValueError("must be set in production, to the secrets that webhooks are signed with")
        for secret in secrets:
            key_of(secret.get_secret_value())
        return secrets


