"""Webhooks in the admin: the events of the staff's invoices, with their status."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ColumnElement

from ..billing.public import invoice_ids
from ..core.admin import StaffView
from .models import WebhookEvent


class WebhookEventView(StaffView):
    """Events without an invoice belong to no organization and are not shown."""

    model = WebhookEvent
    title = "Webhook events"
    path = "webhook-event"
    column_list = ["webhook_id", "provider", "type", "status", "attempts", "created_at"]
    column_details_list = [*column_list, "invoice_id", "due_at", "finished_at", "error", "body"]
    column_searchable_list = ["webhook_id"]
    column_sortable_list = ["type", "status", "created_at"]
    column_default_sort = [("created_at", True), ("id", True)]
    choice_columns = ["type", "status"]

    @staticmethod
    def scope(organizations: Collection[UUID]) -> ColumnElement[bool]:
        return WebhookEvent.invoice_id.in_(invoice_ids(organizations))


VIEWS = (WebhookEventView,)
