"""Webhooks of the payment provider, served below /webhooks/."""

import json
from time import time
from typing import Any
from uuid import UUID

from django.urls import path
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers, views
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from ..core import webhooks
from ..core.openapi import problem
from ..core.problems import Problem
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


class StrictCharField(serializers.CharField):
    """A text; REST framework's own field takes numbers too."""

    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictUUIDField(serializers.UUIDField):
    """A UUID as text; REST framework's own field takes numbers too."""

    def to_internal_value(self, data: object) -> UUID:
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


class EventSerializer(serializers.Serializer[Any]):
    """The fields that are read; providers may add others."""

    type = StrictCharField(trim_whitespace=False)


class PaymentDataSerializer(serializers.Serializer[Any]):
    invoice_id = StrictUUIDField()


class PaymentEventSerializer(EventSerializer):
    data = PaymentDataSerializer()  # type: ignore[assignment]  # a field that hides the property


class ReceiptSerializer(serializers.Serializer[Any]):
    accepted = serializers.BooleanField(required=False)
    ignored = serializers.BooleanField(required=False, help_text="The type is not handled.")


class PaymentsView(views.APIView):
    # The signature authenticates the provider.
    authentication_classes = ()
    permission_classes = ()

    @extend_schema(
        operation_id="webhooks_receive_payment",
        tags=["webhooks"],
        parameters=_HEADERS,
        request=PaymentEventSerializer,
        responses={
            202: ReceiptSerializer,
            **problem(401, "InvalidSignatureProblem", "The signature is missing, wrong or too old"),
        },
        examples=[OpenApiExample("A payment", _EXAMPLE, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Receive an event of the payment provider, signed as in Standard Webhooks.

        `payment.succeeded` marks an open invoice as paid. Repeated deliveries change nothing.
        """
        secrets = [secret.get_secret_value() for secret in get_settings().webhook_secrets]
        try:
            webhook_id = webhooks.verify(secrets, request.headers, request.body, time())
        except webhooks.InvalidWebhookError as error:
            raise Problem(401, str(error), headers={"WWW-Authenticate": "Webhook-Signature"}) from error
        document = _parse(request.body)
        event_type = _validated(EventSerializer, document)["type"]
        handled = event_type == services.PAYMENT_SUCCEEDED
        payment = _validated(PaymentEventSerializer, document) if handled else None
        services.receive_payment_event(
            webhook_id=webhook_id,
            event_type=event_type,
            body=request.body.decode(),
            invoice_id=payment["data"]["invoice_id"] if payment else None,
        )
        return Response({"accepted": True} if handled else {"ignored": True}, status=202)


def _parse(body: bytes) -> object:
    try:
        # Numbers are not read: as floats they have no limit of digits.
        return json.loads(body.decode(), parse_int=float)
    except (ValueError, RecursionError) as error:
        raise ValidationError("The body is not JSON.") from error


def _validated(serializer_class: type[serializers.Serializer[Any]], document: object) -> dict[str, Any]:
    serializer = serializer_class(data=document)
    serializer.is_valid(raise_exception=True)
    values: dict[str, Any] = serializer.validated_data
    return values


urlpatterns = [path("payments", PaymentsView.as_view())]
