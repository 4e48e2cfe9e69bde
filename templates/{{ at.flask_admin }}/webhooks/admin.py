"""Webhook events in the admin."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ColumnElement

from ..billing.public import invoice_ids
from ..core.admin import StaffView
from .models import WebhookEvent


class WebhookEventView(StaffView):
    """Events about an invoice of the tenant."""

    model = WebhookEvent
    title = "Webhook events"
    path = "webhook-event"
    columns = ["webhook_id", "provider", "type", "status", "attempts", "created_at"]
    detail_columns = [*columns, "invoice_id", "due_at", "finished_at", "error", "body"]
    search_columns = ["webhook_id"]
    sort_columns = ["type", "status", "created_at"]
    newest_first = True
    choice_columns = ["type", "status"]

    @staticmethod
    def scope(organizations: Collection[UUID]) -> ColumnElement[bool]:
        return WebhookEvent.invoice_id.in_(invoice_ids(organizations))


VIEWS = (WebhookEventView,)
