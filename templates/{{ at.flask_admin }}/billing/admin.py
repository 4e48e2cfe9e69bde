"""Invoices in the admin: looked up and voided, and their customer is changed."""

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement

from ..accounts.public import acting_for, record
from ..core.admin import Button, StaffView, current_staff, organization_name
from ..core.schemas import TrimmedText
from . import services
from .contracts import InvoiceStatus
from .models import Invoice
from .money import money


class CustomerForm(BaseModel):
    customer: Annotated[TrimmedText, Field(max_length=200)]


def amount(invoice: Invoice) -> str:
    return money(invoice.amount_cents, invoice.currency)


class InvoiceView(StaffView):
    model = Invoice
    title = "Invoices"
    path = "invoice"
    columns = ["number", "organization_id", "customer", "amount_cents", "status", "created_at"]
    labels = {"organization_id": "Organization", "amount_cents": "Amount"}
    formatters = {
        "organization_id": organization_name,
        "amount_cents": amount,
    }
    search_columns = ["customer", "number"]
    sort_columns = ["number", "customer", "status", "created_at"]
    newest_first = True
    choice_columns = ["status", "currency"]
    form_model = CustomerForm
    actions = ("void",)

    @staticmethod
    def scope(organizations: Collection[UUID]) -> ColumnElement[bool]:
        return Invoice.organization_id.in_(organizations)

    def save(self, row: Invoice, changes: Mapping[str, object]) -> None:
        record(
            organization_id=row.organization_id,
            action="invoice.changed",
            target="invoice",
            target_id=row.id,
            actor=acting_for(current_staff().user_id, row.organization_id),
            changes=changes,
        )

    def buttons(self, row: Invoice) -> Sequence[Button]:
        return (Button("Void", "void"),) if row.status == InvoiceStatus.OPEN and self.is_owned(row) else ()

    def void(self, row: Invoice) -> None:
        actor = acting_for(current_staff().user_id, row.organization_id)
        services.void_invoice(actor=actor, invoice_id=row.id)


VIEWS = (InvoiceView,)
