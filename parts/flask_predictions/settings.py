class ModelSettings(CoreSettings):
    """Calls at once in a process; seconds that a request waits for a place, and then for the model."""

    model_path: Path | None = None
    model_concurrency: int = Field(default=4, ge=1)
    model_wait_seconds: float = Field(default=2, ge=0)
    model_timeout_seconds: float = Field(default=10, gt=0)


