"""Writes: what is stored when a webhook comes, and what happens to it later."""

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import delete, select

from ..core.inserts import insert_into
from ..extensions import db
from .handlers import HANDLED
from .models import MAX_TYPE_LENGTH, Status, WebhookEvent

MAX_ATTEMPTS = 8
MAX_ERROR_LENGTH = 1000
DIED = "Its worker died each time, or took too long."
FIRST_DELAY = timedelta(seconds=5)
LONGEST_DELAY = timedelta(hours=1)
# A worker that has not finished an event by then counts as dead. Longer than any statement may take.
LEASE = timedelta(seconds=60)

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def store(*, provider: str, webhook_id: str, event_type: str, body: str) -> None:
    """Save a webhook, once for each id: for the worker, or for the record if its type is not handled."""
    handled = event_type in HANDLED
    db.session.execute(
        insert_into(WebhookEvent)
        .values(
            provider=provider,
            webhook_id=webhook_id,
            type=event_type[:MAX_TYPE_LENGTH],
            body=body,
            status=Status.PENDING if handled else Status.IGNORED,
            due_at=datetime.now(UTC) if handled else None,
        )
        .on_conflict_do_nothing()
    )


def claim() -> UUID | None:
    """Take the event that is due for longest, so that no other worker does, and commit; none if none is due.

    The attempt counts from here on, so that an event which kills its worker is parked in the end.
    """
    now = datetime.now(UTC)
    # On SQLite there is one writer at a time, and no locked row to skip.
    due = select(WebhookEvent).where(WebhookEvent.due_at <= now).order_by(WebhookEvent.due_at).limit(1)
    event = db.session.scalar(due.with_for_update(skip_locked=True))
    if event is None:
        db.session.rollback()
        return None
    if event.attempts >= MAX_ATTEMPTS:
        _park(event, DIED)
        return claim()
    event.attempts += 1
    event.status = Status.CLAIMED
    event.due_at = now + LEASE
    claimed = event.id
    db.session.commit()
    return claimed


def process(event_id: UUID) -> None:
    """Apply an event, exactly once, and commit: what it does and that it is done are one transaction.

    It needs nothing but the id and may be called by anybody at any time: a broker's task could be this one
    line. An event that is being applied is waited for; one that is done is left alone. One that fails is
    tried again, with growing delays, and parked after the last attempt.
    """
    event = db.session.get(WebhookEvent, event_id, with_for_update=True, populate_existing=True)
    if event is None or event.due_at is None:
        db.session.rollback()
        return
    try:
        HANDLED[event.type].model_validate_json(event.body).apply(event.id)
        event.status = Status.DONE
        event.due_at = event.error = None
        event.finished_at = datetime.now(UTC)
        db.session.commit()
        logger.info("webhook_applied", event_id=str(event_id))
    except Exception as error:  # noqa: BLE001 (whatever it is, the others must not wait for it)
        db.session.rollback()
        _fail(event_id, error)


def replay(event_id: UUID) -> bool:
    """Try an event anew that is parked or waits for its next attempt; whether there is such a one."""
    event = db.session.get(WebhookEvent, event_id, with_for_update=True, populate_existing=True)
    if event is None or event.status not in {Status.PARKED, Status.PENDING}:
        return False
    event.status = Status.PENDING
    event.attempts = 0
    event.due_at = datetime.now(UTC)
    db.session.flush()
    return True


def forget(*, older_than: timedelta) -> int:
    """Delete what came longer ago and is done or ignored; how many there were.

    Args:
        older_than: more than the minutes for which a signature is good, so that an id still counts once.
    """
    over = WebhookEvent.status.in_((Status.DONE, Status.IGNORED))
    old = WebhookEvent.created_at < datetime.now(UTC) - older_than
    return len(db.session.scalars(delete(WebhookEvent).where(over, old).returning(WebhookEvent.id)).all())


def _fail(event_id: UUID, error: Exception) -> None:
    event = db.session.get_one(WebhookEvent, event_id, with_for_update=True, populate_existing=True)
    if event.due_at is None:
        # It was committed all the same, and only the answer to that got lost.
        db.session.rollback()
        return
    # Without what no database stores as text.
    reason = f"{type(error).__name__}: {error}".encode(errors="replace").decode().replace("\0", "?")
    logger.error("webhook_failed", event_id=str(event_id), attempts=event.attempts, exc_info=error)
    if event.attempts >= MAX_ATTEMPTS:
        _park(event, reason)
        return
    delay = min(FIRST_DELAY * 2**event.attempts, LONGEST_DELAY)
    # Not all at the same moment, once what failed them is back.
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
