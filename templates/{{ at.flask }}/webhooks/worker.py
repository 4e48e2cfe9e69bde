"""The worker: applies stored events, one at a time. Any number may run, and may be killed at any point."""

from threading import Event
from uuid import UUID

import structlog
from sqlalchemy.exc import OperationalError

from ..core.request_id import begin_request
from ..extensions import db
from . import queries, services

POLL_SECONDS = 1.0

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def work(stop: Event, *, drain: bool) -> int:
    """Process events as they fall due, and return their number.

    Args:
        stop: set it to end after the current event.
        drain: end when nothing is due and no other worker has an event in hand. Events that wait for a retry
            stay.

    Raises:
        OperationalError: the database cannot be reached, with `drain`; without it the worker waits.
    """
    processed = 0
    event_id: UUID | None = None
    while not stop.is_set():
        try:
            event_id = event_id or services.claim()
            if event_id:
                # Its log lines and audit entries have the event's id as their request id.
                begin_request(str(event_id))
                services.process(event_id)
                event_id = None
                processed += 1
                continue
            if drain and not queries.any_claimed():
                break
        except OperationalError as error:
            db.session.rollback()
            busy = getattr(error.orig, "sqlite_errorname", "").startswith("SQLITE_BUSY")
            if drain and not busy:
                raise
            logger.warning("database_unreachable", reason=str(error.orig))
        stop.wait(POLL_SECONDS)
    return processed
