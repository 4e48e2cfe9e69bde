"""Payment events: stored as they arrive, applied at once, retried if that fails, and parked in the end."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from ..core.errors import ApiError
from ..core.inserts import insert_into
from . import services
from .contracts import PaymentEventStatus
from .errors import InvoiceNotFoundError, InvoiceNotOpenError
from .models import MAX_TYPE_LENGTH, PaymentEvent
from .schemas import Event, PaymentSucceeded

PAYMENT_SUCCEEDED = "payment.succeeded"
# Retried after 1, 2, 4… minutes, for about eight hours.
MAX_ATTEMPTS = 10
FIRST_RETRY = timedelta(minutes=1)

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class NotReplayableError(ApiError):
    status = 409
    type = "urn:problem:payment-event-not-replayable"
    title = "Payment event not replayable"


def parse(body: bytes) -> tuple[str, UUID | None]:
    """Return the type of an event, and its invoice if the type is handled.

    Only the fields that are used are validated: anything else that was signed is accepted.

    Raises:
        RequestValidationError: the body is not JSON, or a field is missing or wrong.
    """
    try:
        # As float, since Python refuses to parse very long integers.
        document = json.loads(body.decode(), parse_int=float)
        event_type = Event.model_validate(document).type
        if event_type != PAYMENT_SUCCEEDED:
            return event_type, None
        return event_type, PaymentSucceeded.model_validate(document).data.invoice_id
    except ValidationError as error:
        details = [{**each, "loc": ("body", *each["loc"])} for each in error.errors()]
        raise RequestValidationError(details) from error
    except (ValueError, RecursionError) as error:
        detail = {"type": "json_invalid", "loc": ("body",), "msg": "", "ctx": {"error": str(error)}}
        raise RequestValidationError([detail]) from error


async def receive(session: AsyncSession, *, webhook_id: str, body: bytes) -> PaymentEventStatus:
    """Store an event and apply it. A repeated delivery changes nothing.

    Raises:
        RequestValidationError: the body is not an event.
    """
    event_type, invoice_id = parse(body)
    status = PaymentEventStatus.PENDING if invoice_id else PaymentEventStatus.IGNORED
    inserting = (
        insert_into(session, PaymentEvent)
        .values(
            webhook_id=webhook_id,
            type=event_type[:MAX_TYPE_LENGTH],
            body=body.decode(),
            invoice_id=invoice_id,
            status=status,
        )
        .on_conflict_do_nothing()
        .returning(PaymentEvent)
    )
    event = (await session.scalars(inserting)).first()
    if event is not None and event.status == PaymentEventStatus.PENDING:
        await _apply(session, event)
    return status


async def retry_next(session: AsyncSession) -> bool:
    """Retry one event that is due; return whether there was one."""
    due = select(PaymentEvent).where(
        PaymentEvent.status == PaymentEventStatus.PENDING, PaymentEvent.next_attempt_at <= datetime.now(UTC)
    )
    due = due.order_by(PaymentEvent.next_attempt_at).limit(1).with_for_update(skip_locked=True)
    event = await session.scalar(due)
    if event is None:
        return False
    await _apply(session, event)
    return True


async def replay(session: AsyncSession, webhook_id: str, *, force: bool) -> PaymentEventStatus:
    """Process a stored event as if it had just arrived, and return its new status.

    Args:
        session: the caller's.
        webhook_id: the id of the event.
        force: replay an event that was applied.

    Raises:
        NotReplayableError: there is no such event, or it was applied.
    """
    event = await session.get(PaymentEvent, webhook_id, with_for_update=True)
    if event is None:
        raise NotReplayableError("There is no such event.")
    if event.status == PaymentEventStatus.APPLIED and not force:
        raise NotReplayableError("The event was applied; --force replays it.")
    _, event.invoice_id = parse(event.body.encode())
    event.attempts = 0
    if event.invoice_id:
        await _apply(session, event)
    return PaymentEventStatus(event.status)


async def list_open(session: AsyncSession) -> Sequence[PaymentEvent]:
    """Return the events that are pending or parked, oldest first."""
    statuses = (PaymentEventStatus.PENDING, PaymentEventStatus.PARKED)
    events = select(PaymentEvent).where(PaymentEvent.status.in_(statuses))
    return (await session.scalars(events.order_by(PaymentEvent.created_at))).all()


async def _apply(session: AsyncSession, event: PaymentEvent) -> None:
    assert event.invoice_id is not None  # noqa: S101 (only handled types are applied)
    event.next_attempt_at = event.error = None
    try:
        await services.mark_paid(session, invoice_id=event.invoice_id)
        event.status = PaymentEventStatus.APPLIED
    except (InvoiceNotFoundError, InvoiceNotOpenError) as error:
        event.attempts += 1
        event.error = error.detail
        is_parked = event.attempts >= MAX_ATTEMPTS
        event.status = PaymentEventStatus.PARKED if is_parked else PaymentEventStatus.PENDING
        if not is_parked:
            event.next_attempt_at = datetime.now(UTC) + FIRST_RETRY * 2 ** (event.attempts - 1)
        log = logger.error if is_parked else logger.warning
        log("payment_not_applied", webhook_id=event.webhook_id, status=event.status, error=error.detail)
    await session.flush()
