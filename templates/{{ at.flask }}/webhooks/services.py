"""Writes: what is stored when a webhook comes in, and what the worker does with it."""

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import delete, select

from ..core.inserts import insert_into
from ..extensions import db
from .handlers import HANDLED
from .models import MAX_TYPE_LENGTH, Status, WebhookEvent
from .providers import parse

MAX_ATTEMPTS = 8
MAX_ERROR_LENGTH = 1000
DIED = "The worker died at each attempt, or took too long."
FIRST_DELAY = timedelta(seconds=5)
LONGEST_DELAY = timedelta(hours=1)
# After this time a worker counts as dead and its event is due again. Longer than the statement timeout.
LEASE = timedelta(seconds=60)

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def store(*, provider: str, webhook_id: str, event_type: str, body: str) -> None:
    """Store a webhook, once per id: for the worker, or for the record if its type is not handled."""
    handler = HANDLED.get((provider, event_type))
    db.session.execute(
        insert_into(WebhookEvent)
        .values(
            provider=provider,
            webhook_id=webhook_id,
            type=event_type[:MAX_TYPE_LENGTH],
            body=body,
            invoice_id=handler.model_validate(parse(body)).about() if handler else None,
            status=Status.PENDING if handler else Status.IGNORED,
            due_at=datetime.now(UTC) if handler else None,
        )
        .on_conflict_do_nothing()
    )


def claim() -> UUID | None:
    """Claim the event that is due for the longest time, and commit; None if nothing is due.

    The attempt counts from here on, so an event that kills its worker is parked in the end.
    """
    now = datetime.now(UTC)
    due = select(WebhookEvent).where(WebhookEvent.due_at <= now).order_by(WebhookEvent.due_at).limit(1)
    due = due.with_for_update(skip_locked=True)
    while (event := db.session.scalar(due)) and event.attempts >= MAX_ATTEMPTS:
        _park(event, DIED)
    if event is None:
        db.session.rollback()
        return None
    event.attempts += 1
    event.status = Status.CLAIMED
    event.due_at = now + LEASE
    claimed = event.id
    db.session.commit()
    return claimed


def process(event_id: UUID) -> None:
    """Apply an event exactly once, and commit: its effects and its status are one transaction.

    It takes nothing but the id and may run at any time, also as a task of a broker. A failed event is
    retried with exponential backoff, and parked after the last attempt.
    """
    event = db.session.get(WebhookEvent, event_id, with_for_update=True, populate_existing=True)
    if event is None or event.due_at is None:
        db.session.rollback()
        return
    try:
        handler = HANDLED[event.provider, event.type]
        handler.model_validate(parse(event.body)).apply(event.id)
        event.status = Status.DONE
        event.due_at = event.error = None
        event.finished_at = datetime.now(UTC)
        db.session.commit()
        logger.info("webhook_applied", event_id=str(event_id))
    except Exception as error:  # noqa: BLE001 (one event must not stop the worker)
        db.session.rollback()
        _fail(event_id, error)


def replay(event_id: UUID, *, force: bool = False) -> bool:
    """Make an event due now and return whether it can be.

    Args:
        event_id: an event that is parked, waits for its next attempt, or was ignored and is handled now.
        force: also one that is done.
    """
    replayable = {Status.PARKED, Status.PENDING, Status.IGNORED, *([Status.DONE] if force else [])}
    event = db.session.get(WebhookEvent, event_id, with_for_update=True, populate_existing=True)
    if event is None or event.status not in replayable or (event.provider, event.type) not in HANDLED:
        return False
    event.status = Status.PENDING
    event.attempts = 0
    event.due_at = datetime.now(UTC)
    db.session.flush()
    return True


def delete_finished(*, older_than: timedelta) -> int:
    """Delete old events that are done or ignored, and return their number.

    Args:
        older_than: longer than a signature is valid, or an id could be stored twice.
    """
    finished = WebhookEvent.status.in_((Status.DONE, Status.IGNORED))
    old = WebhookEvent.created_at < datetime.now(UTC) - older_than
    return len(db.session.scalars(delete(WebhookEvent).where(finished, old).returning(WebhookEvent.id)).all())


def _fail(event_id: UUID, error: Exception) -> None:
    event = db.session.get_one(WebhookEvent, event_id, with_for_update=True, populate_existing=True)
    if event.due_at is None:
        # The commit succeeded, and only its confirmation was lost.
        db.session.rollback()
        return
    # Without NUL and lone surrogates, which PostgreSQL does not store.
    reason = f"{type(error).__name__}: {error}".encode(errors="replace").decode().replace("\0", "?")
    logger.error("webhook_failed", event_id=str(event_id), attempts=event.attempts, exc_info=error)
    if event.attempts >= MAX_ATTEMPTS:
        _park(event, reason)
        return
    delay = min(FIRST_DELAY * 2**event.attempts, LONGEST_DELAY)
    # With jitter, so that events which failed together are not retried together.
    event.due_at = datetime.now(UTC) + delay * random.uniform(0.5, 1)  # noqa: S311 (no secret)
    event.status = Status.PENDING
    event.error = reason[:MAX_ERROR_LENGTH]
    db.session.commit()


def _park(event: WebhookEvent, reason: str) -> None:
    event.status = Status.PARKED
    event.due_at = None
    event.error = reason[:MAX_ERROR_LENGTH]
    logger.error("webhook_parked", event_id=str(event.id), attempts=event.attempts)
    db.session.commit()
