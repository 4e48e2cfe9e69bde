class SentrySettings(CoreSettings):
    """Where unhandled errors are reported, and how many of them and of the requests."""

    sentry_dsn: str | None = None
    sentry_sample_rate: float = Field(default=1, ge=0, le=1)
    sentry_traces_sample_rate: float = Field(default=0, ge=0, le=1)

    @field_validator("sentry_dsn")
    @classmethod
    def _check_sentry_dsn(cls, value: str | None) -> str | None:
        if value and not re.fullmatch(r"https?://\w+@[\w.-]+(:\d+)?(/[\w-]+)*/\d+", value):
            raise ValueError("must be like https://KEY@sentry.example.com/1")
        return value


