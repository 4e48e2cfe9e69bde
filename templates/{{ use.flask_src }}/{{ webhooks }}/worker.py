"""The worker: takes events from the outbox, one at a time. Any number of them may run; any may be killed."""

from threading import Event

import structlog
from sqlalchemy.exc import OperationalError

from ..core.request_id import begin_request
from ..extensions import db
from . import queries, services

POLL_SECONDS = 1.0

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def work(stop: Event, *, drain: bool) -> int:
    """Process what is due until `stop` is set; how many were processed.

    Args:
        stop: set it to end after the event in hand.
        drain: end once nothing is due and no other worker has anything in hand. What failed and waits for its
            next attempt is left.

    Raises:
        OperationalError: the database does not answer, while draining; otherwise it is asked again.
    """
    processed = 0
    while not stop.is_set():
        try:
            if event_id := services.claim():
                # What it writes and logs is found by the event's id.
                begin_request(str(event_id))
                services.process(event_id)
                processed += 1
                continue
            if drain and not queries.any_claimed():
                break
        except OperationalError as error:
            db.session.rollback()
            if drain:
                raise
            logger.warning("database_unreachable", reason=str(error.orig))
        stop.wait(POLL_SECONDS)
    return processed
