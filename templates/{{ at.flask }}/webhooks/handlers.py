"""Handlers: how the worker applies each type of event. Add a class and a line in `HANDLED`."""

from abc import ABC, abstractmethod
from uuid import UUID

from pydantic import BaseModel

from ..billing import public as billing
from .providers import PAYMENTS


class HandledEvent(BaseModel, ABC):
    """The fields of an event that are used; others are ignored."""

    @abstractmethod
    def apply(self, event_id: UUID) -> None:
        """Apply the event, in the transaction that also marks it as done; on an exception it is retried.

        Side effects beyond the database can happen twice: pass `event_id` on as an idempotency key.
        """

    @abstractmethod
    def about(self) -> UUID | None:
        """Return the invoice that the event is about; the admin shows the event to that tenant."""


class PaymentData(BaseModel):
    invoice_id: UUID


class PaymentSucceeded(HandledEvent):
    data: PaymentData

    def apply(self, event_id: UUID) -> None:
        billing.mark_paid(self.data.invoice_id)

    def about(self) -> UUID | None:
        return self.data.invoice_id


HANDLED: dict[tuple[str, str], type[HandledEvent]] = {(PAYMENTS, "payment.succeeded"): PaymentSucceeded}
