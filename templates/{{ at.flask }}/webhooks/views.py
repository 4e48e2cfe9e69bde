"""HTTP: webhooks. They are verified, stored, answered, and applied by the worker."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import request
from pydantic import BaseModel, ConfigDict, RootModel, ValidationError

from ..core import webhooks
from ..core.errors import invalid
from ..core.problems import Problem
from . import services
from .handlers import HANDLED
from .providers import PAYMENTS, Delivery, parse, verify_payment

blueprint = APIBlueprint("webhooks", __name__, tag="webhooks", url_prefix="/webhooks")


class PaymentEvent(BaseModel):
    """An event of the payment provider. `payment.succeeded` is handled; others are stored and ignored."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "payment.succeeded",
                    "data": {"invoice_id": "0f0ad2f6-2f4a-4c0f-9b7e-6f1f3a1f2b11"},
                }
            ]
        }
    )

    type: str
    data: dict[str, Any]


class Accepted(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"accepted": True}]})

    accepted: Literal[True] = True


class Ignored(BaseModel):
    """The type is not handled."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"ignored": True}]})

    ignored: Literal[True] = True


class Received(RootModel[Accepted | Ignored]):
    """The event is stored."""


@blueprint.post(f"/{PAYMENTS}")
@blueprint.output(Received, status_code=HTTPStatus.ACCEPTED)
@blueprint.doc(
    operation_id="webhooks_receive_payment",
    responses={
        400: "The body is not JSON.",
        401: "The signature is missing or not valid, or the timestamp is off.",
        422: "The body is not an event.",
    },
    extensions={
        "parameters": webhooks.PARAMETERS,
        "requestBody": {"content": {"application/json": {"schema": PaymentEvent.model_json_schema()}}},
    },
)
def receive_payment() -> Received:
    """Receive an event of the payment provider.

    A worker marks the invoice as paid soon after. A repeated delivery changes nothing.
    """
    return receive(PAYMENTS, verify_payment)


def receive(provider: str, verify: Callable[[Mapping[str, str], bytes], Delivery]) -> Received:
    """Verify and store a webhook.

    Args:
        provider: its name, as in `HANDLED`.
        verify: returns the id and the type of a request whose signature is valid.

    Raises:
        Problem: 401 if the signature is not valid, 400 if the body is not JSON, 422 if it is not an event.
    """
    body = request.get_data()
    try:
        delivery = verify({name.lower(): value for name, value in request.headers}, body)
        handler = HANDLED.get((provider, delivery.type))
        if handler is not None:
            handler.model_validate(parse(body))
    except webhooks.InvalidWebhookError as error:
        challenge = {"WWW-Authenticate": "Webhook-Signature"}
        raise Problem(HTTPStatus.UNAUTHORIZED, str(error), headers=challenge) from error
    except ValidationError as error:
        raise invalid(error) from error
    except ValueError as error:
        raise Problem(HTTPStatus.BAD_REQUEST, "The body is not valid JSON.") from error
    services.store(
        provider=provider, webhook_id=delivery.webhook_id, event_type=delivery.type, body=body.decode()
    )
    return Received(Ignored() if handler is None else Accepted())
