"""Invoices and payment events in the admin. Amounts cannot be changed."""

from collections.abc import Collection, Sequence
from typing import Annotated, Any, ClassVar
from uuid import UUID

from fastapi import Request, Response
from pydantic import BaseModel, Field
from sqladmin import expose
from sqladmin.filters import AllUniqueStringValuesFilter, StaticValuesFilter
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from ..accounts.public import record
from ..accounts.staff import acting_for
from ..core.admin import Button, StaffView, organization_name
from ..core.schemas import TrimmedText
from . import services
from .contracts import InvoiceStatus, PaymentEventStatus
from .models import Invoice, PaymentEvent
from .money import money

STATUSES = [(status.value, status.value) for status in InvoiceStatus]
EVENT_STATUSES = [(status.value, status.value) for status in PaymentEventStatus]


class CustomerForm(BaseModel):
    customer: Annotated[TrimmedText, Field(max_length=200)]


def amount(invoice: Invoice, _: str) -> str:
    return money(invoice.amount_cents, invoice.currency)


class InvoiceView(StaffView, model=Invoice):
    column_list = (
        Invoice.number,
        Invoice.organization_id,
        Invoice.customer,
        Invoice.amount_cents,
        Invoice.status,
        Invoice.created_at,
    )
    column_labels: ClassVar[dict[Any, str]] = {
        Invoice.organization_id: "Organization",
        Invoice.amount_cents: "Amount",
    }
    column_formatters: ClassVar[dict[Any, Any]] = {
        Invoice.organization_id: organization_name,
        Invoice.amount_cents: amount,
    }
    column_formatters_detail = column_formatters
    column_searchable_list = (Invoice.customer, Invoice.number)
    column_sortable_list = (Invoice.number, Invoice.customer, Invoice.status, Invoice.created_at)
    column_default_sort = ("created_at", True)
    column_filters = (
        StaticValuesFilter(Invoice.status, STATUSES),
        AllUniqueStringValuesFilter(Invoice.currency),
    )
    can_edit = True
    form_model = CustomerForm
    form_columns = (Invoice.customer,)

    @staticmethod
    def scope(organizations: Collection[UUID]) -> ColumnElement[bool]:
        return Invoice.organization_id.in_(organizations)

    async def save(
        self, session: AsyncSession, request: Request, row: Invoice, changes: dict[str, object]
    ) -> None:
        await record(
            session,
            organization_id=row.organization_id,
            action="invoice.changed",
            target="invoice",
            target_id=row.id,
            actor=await acting_for(session, request.state.staff, row.organization_id),
            changes=changes,
        )

    async def buttons(self, request: Request, row: Invoice) -> Sequence[Button]:
        if row.status != InvoiceStatus.OPEN or not self.is_owned(request, row):
            return ()
        return (Button("Void", self.path_of(row, "void")),)

    @expose("/void/{pk}", methods=["POST"])
    async def void(self, request: Request) -> Response:
        invoice = await self.get_object_for_details(request)
        async with request.state.sessions.begin() as session:
            actor = await acting_for(session, request.state.staff, invoice.organization_id)
            await services.void_invoice(session, actor=actor, invoice_id=invoice.id)
        return self.back_to(invoice)


class PaymentEventView(StaffView, model=PaymentEvent):
    """Payment events of the tenants' invoices, and those whose invoice is unknown, without their body."""

    column_list = (
        PaymentEvent.webhook_id,
        PaymentEvent.type,
        PaymentEvent.invoice_id,
        PaymentEvent.status,
        PaymentEvent.attempts,
        PaymentEvent.error,
        PaymentEvent.created_at,
    )
    column_details_list = (*column_list, PaymentEvent.next_attempt_at)
    column_searchable_list = (PaymentEvent.webhook_id,)
    column_sortable_list = (PaymentEvent.type, PaymentEvent.status, PaymentEvent.created_at)
    column_default_sort = ("created_at", True)
    column_filters = (StaticValuesFilter(PaymentEvent.status, EVENT_STATUSES),)

    @staticmethod
    def scope(organizations: Collection[UUID]) -> ColumnElement[bool]:
        # The table, not the model: to a query of the model the admin would add its scope.
        invoices = Invoice.__table__
        invoice = select(invoices.c.id).where(invoices.c.id == PaymentEvent.invoice_id)
        own = invoice.where(invoices.c.organization_id.in_(organizations))
        unknown = PaymentEvent.invoice_id.is_not(None) & ~invoice.exists()
        return or_(own.exists(), unknown)


VIEWS = (InvoiceView, PaymentEventView)
