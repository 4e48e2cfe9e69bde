"""What payment providers tell, served below /webhooks/."""

import json
from time import time
from typing import Annotated, Any, Self
from uuid import UUID

import pydantic
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from pydantic import BaseModel, StringConstraints

from ..core import webhooks
from ..core.contract import described, json_answer, problem_answer
from ..core.problems import FieldError, Problem, pointer
from ..core.settings import get_settings
from . import services

_EXAMPLE = {
    "type": services.PAYMENT_SUCCEEDED,
    "data": {"invoice_id": "0f0ad2f6-2f4a-4c0f-9b7e-6f1f3a1f2b11"},
}
_RECEIPT = {
    "type": "object",
    "properties": {
        "accepted": {"type": "boolean"},
        "ignored": {"type": "boolean", "description": "For a type that is not handled."},
    },
}


class Event(BaseModel):
    """What every event has. There may be more, so that a sender can add to it."""

    # Not blank, and without the NUL that PostgreSQL does not store.
    type: Annotated[str, StringConstraints(pattern=r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]

    @classmethod
    def of(cls, document: object) -> Self:
        try:
            return cls.model_validate(document)
        except pydantic.ValidationError as error:
            details = error.errors(include_url=False, include_context=False, include_input=False)
            errors = [FieldError(pointer=pointer(each["loc"]), detail=each["msg"]) for each in details]
            raise _invalid(errors) from None


class PaymentData(BaseModel):
    invoice_id: UUID


class Payment(Event):
    data: PaymentData


_BODY = {
    "type": "object",
    "required": ["type", "data"],
    "properties": {
        "type": {"type": "string"},
        "data": {
            "type": "object",
            "required": ["invoice_id"],
            "properties": {"invoice_id": {"type": "string", "format": "uuid"}},
        },
    },
    "examples": [_EXAMPLE],
}


@described(
    "post",
    "webhooks_payments",
    tags=["webhooks"],
    parameters=webhooks.PARAMETERS,
    requestBody={"required": True, "content": {"application/json": {"schema": _BODY}}},
    responses=json_answer(202, _RECEIPT)
    | problem_answer(401, "The signature is missing, wrong or too old")
    | problem_answer(422, "The request is not valid"),
)
@csrf_exempt
@require_POST
def payments(request: HttpRequest) -> HttpResponse:
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
        invoice_id=Payment.of(document).data.invoice_id if handled else None,
    )
    return JsonResponse({"accepted": True} if handled else {"ignored": True}, status=202)


def _json(body: bytes) -> tuple[str, Any]:
    try:
        text = body.decode()
        return text, json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _invalid([FieldError(pointer="#", detail="The body is not JSON.")]) from error


def _invalid(errors: list[FieldError]) -> Problem:
    return Problem(422, "The request is not valid.", errors=errors)


urlpatterns = [path("payments", payments)]
