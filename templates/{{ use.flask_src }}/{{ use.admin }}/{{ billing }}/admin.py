"""Invoices in the admin: look up and void them. Amounts cannot be changed."""

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated
from uuid import UUID

from flask import Response
from flask_admin import BaseView, expose
from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement

from ..accounts.public import acting_for, record
from ..core.admin import Button, StaffView, current_staff, organization_name
from ..core.schemas import TrimmedText
from . import services
from .contracts import InvoiceStatus
from .currencies import money
from .models import Invoice


class CustomerForm(BaseModel):
    customer: Annotated[TrimmedText, Field(max_length=200)]


def amount(_: BaseView, __: object, invoice: Invoice, ___: str) -> str:
    return money(invoice.amount_cents, invoice.currency)


class InvoiceView(StaffView):
    model = Invoice
    title = "Invoices"
    path = "invoice"
    column_list = ["number", "organization_id", "customer", "amount_cents", "status", "created_at"]
    column_labels = {"organization_id": "Organization", "amount_cents": "Amount"}
    column_formatters = {
        "organization_id": organization_name,
        "amount_cents": amount,
    }
    column_searchable_list = ["customer", "number"]
    column_sortable_list = ["number", "customer", "status", "created_at"]
    column_default_sort = [("created_at", True), ("id", True)]
    choice_columns = ["status", "currency"]
    form_model = CustomerForm

    @staticmethod
    def scope(organizations: Collection[UUID]) -> ColumnElement[bool]:
        return Invoice.organization_id.in_(organizations)

    def save(self, row: Invoice, changes: Mapping[str, object]) -> None:
        record(
            organization_id=row.organization_id,
            action="invoice.changed",
            target="invoice",
            target_id=row.id,
            actor=acting_for(current_staff(), row.organization_id),
            changes=changes,
        )

    def buttons(self, row: Invoice) -> Sequence[Button]:
        if row.status != InvoiceStatus.OPEN or not self.is_owned(row):
            return ()
        return (Button("Void", self.path_of(row, "void")),)

    @expose("/void/<uuid:pk>", methods=("POST",))
    def void(self, pk: UUID) -> Response:
        invoice = self.get_one(pk)
        services.void_invoice(
            actor=acting_for(current_staff(), invoice.organization_id), invoice_id=invoice.id
        )
        return self.back_to(invoice)


VIEWS = (InvoiceView,)
