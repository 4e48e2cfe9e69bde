"""What payment providers tell, served below /webhooks/."""

import json
from time import time
from typing import Any

from django.urls import path
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers, views
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from ..core import webhooks
from ..core.problems import PROBLEM_JSON, Problem
from ..core.rest import AnyAccept, JsonText, JsonUUID, problem_answer
from ..core.settings import get_settings
from . import services

_HEADERS = [
    OpenApiParameter(
        each["name"],
        each["schema"],
        OpenApiParameter.HEADER,
        required=True,
        description=each.get("description", ""),
    )
    for each in webhooks.PARAMETERS
]
_EXAMPLE = {
    "type": services.PAYMENT_SUCCEEDED,
    "data": {"invoice_id": "0f0ad2f6-2f4a-4c0f-9b7e-6f1f3a1f2b11"},
}


class EventSerializer(serializers.Serializer[Any]):
    """What every event has. There may be more, so that a sender can add to it."""

    type = JsonText(trim_whitespace=False)


class PaymentDataSerializer(serializers.Serializer[Any]):
    invoice_id = JsonUUID()


class PaymentSerializer(EventSerializer):
    data = PaymentDataSerializer()  # type: ignore[assignment]  # a field, not the property of this name


class ReceiptSerializer(serializers.Serializer[Any]):
    accepted = serializers.BooleanField(required=False)
    ignored = serializers.BooleanField(required=False, help_text="For a type that is not handled.")


class PaymentsView(views.APIView):
    # The signature says who it is.
    authentication_classes = ()
    permission_classes = ()
    content_negotiation_class = AnyAccept

    @extend_schema(
        operation_id="webhooks_payments",
        tags=["webhooks"],
        parameters=_HEADERS,
        request=PaymentSerializer,
        responses={
            202: ReceiptSerializer,
            (401, PROBLEM_JSON): problem_answer("The signature is missing, wrong or too old"),
        },
        examples=[OpenApiExample("A payment", _EXAMPLE, request_only=True)],
    )
    def post(self, request: Request) -> Response:
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
        event_type = _valid(EventSerializer, document)["type"]
        handled = event_type == services.PAYMENT_SUCCEEDED
        services.record_payment_event(
            webhook_id=webhook_id,
            event_type=event_type,
            body=text,
            invoice_id=_valid(PaymentSerializer, document)["data"]["invoice_id"] if handled else None,
        )
        return Response({"accepted": True} if handled else {"ignored": True}, status=202)


def _json(body: bytes) -> tuple[str, Any]:
    try:
        text = body.decode()
        return text, json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValidationError("The body is not JSON.") from error


def _valid(form: type[serializers.Serializer[Any]], document: object) -> dict[str, Any]:
    serializer = form(data=document)
    serializer.is_valid(raise_exception=True)
    values: dict[str, Any] = serializer.validated_data
    return values


urlpatterns = [path("payments", PaymentsView.as_view())]
