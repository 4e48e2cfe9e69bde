"""Structured logging: one JSON object per line in production, readable lines in development."""

import logging
import logging.config
import sys
from typing import Any

import structlog
from structlog.stdlib import BoundLogger, LoggerFactory, PositionalArgumentsFormatter, ProcessorFormatter
from structlog.typing import EventDict, Processor

from .settings import Settings

# The access log; set its level to WARNING to turn it off.
_access_log: BoundLogger = structlog.get_logger(f"{__package__}.requests")


def logging_config(settings: Settings) -> dict[str, Any]:
    """Configure structlog and return the `logging.config.dictConfig` that sends every logger to stderr."""
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, PositionalArgumentsFormatter(), _log],
        logger_factory=LoggerFactory(),
        wrapper_class=BoundLogger,
        cache_logger_on_first_use=True,
    )
    plain, colors = structlog.dev.plain_traceback, sys.stderr.isatty()
    console = structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain)
    chain: list[Processor] = [
        lambda _, __, event: {**getattr(event["_record"], "fields", {}), **event},
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        # Tracebacks without local variables, which may hold secrets.
        structlog.processors.format_exc_info,
        ProcessorFormatter.remove_processors_meta,
        structlog.processors.JSONRenderer(default=str) if settings.log_format == "json" else console,
    ]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"structlog": {"()": ProcessorFormatter, "processors": chain}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structlog"}},
        "root": {"handlers": ["stderr"], "level": settings.log_level},
    }


def configure_logging(settings: Settings) -> None:
    logging.config.dictConfig(logging_config(settings))


def log_request(*, method: str | None, path: str, status: int, seconds: float) -> None:
    """Log a request that took `seconds`; `path` is without the query, which may hold secrets."""
    _access_log.info("request", method=method, path=path, status=status, duration_ms=round(seconds * 1000, 1))


def _log(_: object, __: str, event: EventDict) -> tuple[tuple[object], dict[str, Any]]:
    """Log as without structlog: the event's name is the message, and every handler sees the exception."""
    return (event.pop("event"),), {"exc_info": event.pop("exc_info", None), "extra": {"fields": event}}
