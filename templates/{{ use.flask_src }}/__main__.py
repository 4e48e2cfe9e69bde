"""The server: `python -m` this package, with `--reload` while developing."""

import logging
import sys
from pathlib import Path

from granian import Granian
from granian.constants import Interfaces

from .core.database import THREADS
from .core.logs import configure_logging
from .core.settings import get_settings

SHUTDOWN_SECONDS = 25


def main() -> None:
    settings = get_settings()
    configure_logging(level=settings.log_level, json=settings.log_format == "json")
    logging.getLogger("_granian").addFilter(_worth_saying)
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)
    Granian(
        f"{__package__}.wsgi:app",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        websockets=False,
        workers=settings.web_concurrency,
        blocking_threads=THREADS,
        respawn_failed_workers=True,
        workers_kill_timeout=SHUTDOWN_SECONDS,
        # Its lines go to our handler, and the application writes the line of each request.
        log_dictconfig={"handlers": {}, "formatters": {}, "loggers": {"_granian": {"propagate": True}}},
        reload="--reload" in sys.argv[1:],
        reload_paths=[Path(__file__).parent],
        reload_ignore_worker_failure=True,
    ).serve()


def _worth_saying(record: logging.LogRecord) -> bool:
    # Granian warns of more threads than cores; ours mostly wait for the database or for other services.
    return "Python threads" not in record.getMessage()


if __name__ == "__main__":
    main()
