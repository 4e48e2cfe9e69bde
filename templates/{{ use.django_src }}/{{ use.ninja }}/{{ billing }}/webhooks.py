"""What payment providers tell, served below /webhooks/."""

import json
from time import time
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest
from pydantic import BaseModel, ConfigDict
from pydantic.config import JsonDict

from ..core import webhooks
from ..core.problems import FieldError, Problem
from ..core.rest import AnswerSchema, ReceivedSchema, Router, Text, json_body, problem_answer
from ..core.settings import get_settings
from . import services

_EXAMPLE: JsonDict = {
    "type": services.PAYMENT_SUCCEEDED,
    "data": {"invoice_id": "0f0ad2f6-2f4a-4c0f-9b7e-6f1f3a1f2b11"},
}

# The signature says who it is.
router = Router(auth=None, tags=["webhooks"])


class Event(ReceivedSchema):
    """What every event has. There may be more, so that a sender can add to it."""

    type: Text


class PaymentData(BaseModel):
    invoice_id: UUID


class PaymentRequest(Event):
    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    data: PaymentData


class Accepted(AnswerSchema):
    accepted: Literal[True]


class Ignored(AnswerSchema):
    """For a type that is not handled."""

    ignored: Literal[True]


@router.post(
    "payments",
    operation_id="webhooks_payments",
    response={202: Accepted | Ignored},
    openapi_extra={
        "parameters": webhooks.PARAMETERS,
        "requestBody": json_body(PaymentRequest),
        "responses": {401: problem_answer("The signature is missing, wrong or too old")},
    },
)
def payments(request: HttpRequest) -> dict[str, bool]:
    """Take an event of the payment provider, after the Standard Webhooks scheme.

    `payment.succeeded` marks an open invoice as paid. An event that comes again changes nothing.
    """
    body = request.body
    secrets = [secret.get_secret_value() for secret in get_settings().webhook_secrets]
    try:
        webhook_id = webhooks.verify(secrets, request.headers, body, time())
    except webhooks.InvalidWebhookError as error:
        raise Problem(401, str(error), headers={"WWW-Authenticate": "Webhook-Signature"}) from error
    text, document = _json(body)
    event_type = Event.of(document).type
    handled = event_type == services.PAYMENT_SUCCEEDED
    services.record_payment_event(
        webhook_id=webhook_id,
        event_type=event_type,
        body=text,
        invoice_id=PaymentRequest.of(document).data.invoice_id if handled else None,
    )
    return {"accepted": True} if handled else {"ignored": True}


def _json(body: bytes) -> tuple[str, Any]:
    try:
        text = body.decode()
        return text, json.loads(text)
    except (ValueError, RecursionError) as error:
        place = FieldError(pointer="#", detail="The body is not JSON.")
        raise Problem(422, "The request is not valid.", errors=[place]) from error
