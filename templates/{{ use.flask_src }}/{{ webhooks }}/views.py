"""The HTTP face: what providers post here, after the Standard Webhooks scheme."""

import time
from http import HTTPStatus
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import current_app, request
from pydantic import BaseModel, ConfigDict, RootModel, ValidationError

from ..core import webhooks
from ..core.boundary import invalid
from ..core.problems import Problem
from ..core.settings import Settings
from . import services
from .commands import webhooks as commands
from .handlers import HANDLED, Event

PAYMENTS = "payments"
CONTRACT: dict[str, Any] = {
    "parameters": webhooks.PARAMETERS,
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["type", "data"],
                    "properties": {
                        "type": {"type": "string"},
                        "data": {
                            "type": "object",
                            "properties": {"invoice_id": {"type": "string", "format": "uuid"}},
                        },
                    },
                    "examples": [
                        {
                            "type": "payment.succeeded",
                            "data": {"invoice_id": "0f0ad2f6-2f4a-4c0f-9b7e-6f1f3a1f2b11"},
                        }
                    ],
                },
            }
        },
    },
}

blueprint = APIBlueprint("webhooks", __name__, tag="Webhooks", url_prefix="/webhooks", cli_group=None)
blueprint.cli.add_command(commands)


class Accepted(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"accepted": True}]})

    accepted: Literal[True] = True


class Ignored(BaseModel):
    """For a type that is not handled."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"ignored": True}]})

    ignored: Literal[True] = True


class Received(RootModel[Accepted | Ignored]):
    """Stored, for the worker or for the record only."""


@blueprint.post(f"/{PAYMENTS}")
@blueprint.output(Received, status_code=HTTPStatus.ACCEPTED)
@blueprint.doc(
    operation_id="webhooks_payments",
    responses={
        400: "No JSON",
        401: "Not signed, or not of now",
        422: "No event",
    },
    extensions=CONTRACT,
)
def payments() -> Received:
    """Take an event of the payment provider.

    `payment.succeeded` marks an open invoice as paid, soon after. An event that comes again changes nothing.
    """
    body = request.get_data()
    webhook_id = _verified(body)
    event_type = _read(Event, body).type
    handler = HANDLED.get(event_type)
    if handler is not None:
        _read(handler, body)
    services.store(provider=PAYMENTS, webhook_id=webhook_id, event_type=event_type, body=body.decode())
    return Received(Ignored() if handler is None else Accepted())


def _verified(body: bytes) -> str:
    """The id of the request, once its signature is right; nothing in the body is looked at before."""
    settings: Settings = current_app.config["SETTINGS"]
    secrets = [secret.get_secret_value() for secret in settings.webhook_secrets]
    headers = {name.lower(): value for name, value in request.headers}
    try:
        return webhooks.verify(secrets, headers, body, time.time())
    except webhooks.InvalidWebhookError as error:
        challenge = {"WWW-Authenticate": "Webhook-Signature"}
        raise Problem(HTTPStatus.UNAUTHORIZED, str(error), headers=challenge) from error


def _read(event: type[Event], body: bytes) -> Event:
    """The event in a body.

    Raises:
        Problem: 400 if it is not JSON, 422 if it is no such event.
    """
    try:
        return event.model_validate_json(body)
    except ValidationError as error:
        if error.errors()[0]["type"] == "json_invalid":
            raise Problem(HTTPStatus.BAD_REQUEST, "The body is not valid JSON.") from error
        raise invalid(error) from error
