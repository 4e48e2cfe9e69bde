class RatesSettings(CoreSettings):
    """Where exchange rates come from."""

    exchange_rates_url: str | None = None

    @field_validator("exchange_rates_url")
    @classmethod
    def _check_rates_url(cls, value: str | None) -> str | None:
        if value and not re.fullmatch(r"https?://[\w.-]+(:\d+)?(/[\w./~-]*)?", value):
            raise ValueError("must be like https://rates.example.com, without credentials or query")
        return value


