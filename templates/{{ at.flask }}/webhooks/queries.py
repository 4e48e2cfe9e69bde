"""Reads."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import exists, select

from ..extensions import db
from .models import Status, WebhookEvent


def newest(*, limit: int, status: str | None = None) -> Sequence[WebhookEvent]:
    """Return the newest events, by default of any status."""
    events = select(WebhookEvent).order_by(WebhookEvent.created_at.desc(), WebhookEvent.id).limit(limit)
    if status is not None:
        events = events.where(WebhookEvent.status == status)
    return db.session.scalars(events).all()


def parked() -> Sequence[UUID]:
    """Return the ids of the parked events."""
    return db.session.scalars(select(WebhookEvent.id).where(WebhookEvent.status == Status.PARKED)).all()


def any_claimed() -> bool:
    """Return whether a worker has an event in hand, or died with it."""
    found = db.session.scalars(select(exists().where(WebhookEvent.status == Status.CLAIMED))).one()
    db.session.rollback()
    return found
