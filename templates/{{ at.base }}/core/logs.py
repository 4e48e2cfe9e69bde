"""Structured logging: one JSON object per line in production, readable lines in development."""

import logging
import logging.config
import sys
from typing import Any

import structlog
from structlog.stdlib import BoundLogger, LoggerFactory, ProcessorFormatter
from structlog.typing import Processor

# The access log; set its level to WARNING to turn it off.
_access_log: BoundLogger = structlog.get_logger(f"{__package__}.requests")


def logging_config(level: str, *, json: bool) -> dict[str, Any]:
    """Configure structlog and return the `logging.config.dictConfig` that sends every logger to stderr."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        # Tracebacks without local variables, which may hold secrets.
        structlog.processors.format_exc_info,
    ]
    plain, colors = structlog.dev.plain_traceback, sys.stderr.isatty()
    renderer: Processor = (
        structlog.processors.JSONRenderer(default=str)
        if json
        else structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain)
    )
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, ProcessorFormatter.wrap_for_formatter],
        logger_factory=LoggerFactory(),
        wrapper_class=BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = {
        "()": ProcessorFormatter,
        "foreign_pre_chain": shared,
        "processors": [ProcessorFormatter.remove_processors_meta, renderer],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"structlog": formatter},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structlog"}},
        "root": {"handlers": ["stderr"], "level": level},
    }


def configure_logging(*, level: str, json: bool) -> None:
    """Apply `logging_config` to this process."""
    logging.config.dictConfig(logging_config(level, json=json))
    logging.captureWarnings(capture=True)


def log_request(*, method: str | None, path: str, status: int, seconds: float) -> None:
    """Log a request that took `seconds`; `path` is without the query, which may hold secrets."""
    _access_log.info("request", method=method, path=path, status=status, duration_ms=round(seconds * 1000, 1))
