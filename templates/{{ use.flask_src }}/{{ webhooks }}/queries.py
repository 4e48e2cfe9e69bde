"""Reads: they change nothing."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import exists, select

from ..extensions import db
from .models import Status, WebhookEvent


def newest(*, limit: int, status: str | None = None) -> Sequence[WebhookEvent]:
    """At most `limit`, the newest first, by default of any status."""
    events = select(WebhookEvent).order_by(WebhookEvent.created_at.desc(), WebhookEvent.id).limit(limit)
    if status is not None:
        events = events.where(WebhookEvent.status == status)
    return db.session.scalars(events).all()


def parked() -> Sequence[UUID]:
    """The ids of those that kept failing."""
    return db.session.scalars(select(WebhookEvent.id).where(WebhookEvent.status == Status.PARKED)).all()


def any_claimed() -> bool:
    """Whether a worker has one in hand, or died with it."""
    found = db.session.scalars(select(exists().where(WebhookEvent.status == Status.CLAIMED))).one()
    db.session.rollback()
    return found
