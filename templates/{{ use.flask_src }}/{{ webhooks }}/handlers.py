"""What is done about each type of event: the one place to add a type."""

from abc import ABC, abstractmethod
from uuid import UUID

from pydantic import BaseModel

from ..billing import public as billing
from ..core.schemas import Text


class Event(BaseModel):
    """What every event has. There may be more, so that a sender can add to it."""

    type: Text


class HandledEvent(Event, ABC):
    """An event about which something is done."""

    @abstractmethod
    def apply(self, event_id: UUID) -> None:
        """Do it, in the transaction that also marks the event as done.

        What reaches beyond the database may happen twice: give it `event_id` as its idempotency key.
        """


class PaymentData(BaseModel):
    invoice_id: UUID


class PaymentSucceeded(HandledEvent):
    data: PaymentData

    def apply(self, event_id: UUID) -> None:
        billing.mark_paid(self.data.invoice_id, event=str(event_id))


HANDLED: dict[str, type[HandledEvent]] = {"payment.succeeded": PaymentSucceeded}
