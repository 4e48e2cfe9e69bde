class ServerSettings(CoreSettings):
    """Threads of each server process."""

    threads: int = Field(default=16, ge=1)


