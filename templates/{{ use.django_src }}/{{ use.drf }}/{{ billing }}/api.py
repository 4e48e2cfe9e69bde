"""The HTTP API of invoices."""

import re
from typing import Any
from uuid import UUID

from django.urls import path, reverse
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers, views
from rest_framework.request import Request
from rest_framework.response import Response

from ..accounts.public import actor_of
from ..core.problems import PROBLEM_JSON, FieldError, Problem
from ..core.rest import JsonInteger, JsonText, LimitQuery, StrictSerializer, problem_answer
from . import cursors, permissions, queries, services
from .contracts import InvoiceData
from .currencies import CURRENCIES
from .models import MAX_AMOUNT_CENTS, Invoice
from .permissions import Action

KEY_PATTERN = "^[!-~]{1,255}$"

_EXAMPLE = {
    "id": "0f0ad2f6-2f4a-4c0f-9b7e-6f1f3a1f2b11",
    "number": 1,
    "customer": "Analytical Engines Ltd.",
    "amount_cents": 120050,
    "currency": "EUR",
    "status": "open",
    "created_at": "2026-01-31T12:00:00.000000Z",
}
_NEW = {name: _EXAMPLE[name] for name in ("customer", "amount_cents", "currency")}

_FORBIDDEN = problem_answer("The role in the organization does not allow it")
_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "pattern": KEY_PATTERN},
    OpenApiParameter.HEADER,
    description="Chosen by the client: a repeated request gets the first answer again, and nothing twice.",
)
_LOCATION = OpenApiParameter(
    "Location", str, OpenApiParameter.HEADER, response=[201], description="The path of the new invoice."
)


class NewInvoiceSerializer(StrictSerializer):
    customer = JsonText(max_length=200)
    amount_cents = JsonInteger(min_value=1, max_value=MAX_AMOUNT_CENTS)
    currency = serializers.ChoiceField(choices=sorted(CURRENCIES))


# For the contract only: `_shown` makes what is sent, in a tenth of the time.
class InvoiceSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    number = serializers.IntegerField(min_value=1)
    customer = serializers.CharField()
    amount_cents = serializers.IntegerField(min_value=1)
    currency = serializers.ChoiceField(choices=sorted(CURRENCIES))
    status = serializers.ChoiceField(choices=Invoice.Status.values)
    created_at = serializers.DateTimeField()


class InvoiceListSerializer(serializers.Serializer[Any]):
    items = InvoiceSerializer(many=True)
    next_cursor = serializers.CharField(allow_null=True, help_text="None on the last page.")


@extend_schema_field({"type": "string", "pattern": cursors.PATTERN})
class CursorField(serializers.Field[int, str, str, Any]):
    """Takes the opaque cursor of an earlier page and gives the number with which that ended."""

    def to_internal_value(self, data: str) -> int:
        try:
            return cursors.decode(data)
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from error


class InvoiceQuery(LimitQuery):
    cursor = CursorField(required=False, help_text="The `next_cursor` of the page before.")
    status = serializers.ChoiceField(choices=Invoice.Status.values, required=False)


class InvoiceListView(views.APIView):
    @extend_schema(
        operation_id="invoices_list",
        parameters=[InvoiceQuery],
        responses=InvoiceListSerializer,
        examples=[OpenApiExample("A page", {"items": [_EXAMPLE], "next_cursor": None}, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        """The organization's invoices, the newest first.

        A page continues where the one before ended, also when invoices were added meanwhile.
        """
        actor = actor_of(request)
        permissions.require(actor, Action.READ)
        values = InvoiceQuery.of(request)
        items, last = queries.page(
            organization_id=actor.organization_id,
            limit=values["limit"],
            before=values.get("cursor"),
            status=values.get("status"),
        )
        next_cursor = None if last is None else cursors.encode(last)
        return Response({"items": [_shown(item) for item in items], "next_cursor": next_cursor})

    @extend_schema(
        operation_id="invoices_create",
        parameters=[_KEY, _LOCATION],
        request=NewInvoiceSerializer,
        responses={
            201: InvoiceSerializer,
            (403, PROBLEM_JSON): _FORBIDDEN,
            (409, PROBLEM_JSON): problem_answer("The Idempotency-Key was used for another request"),
        },
        examples=[
            OpenApiExample("An invoice over 1,200.50 euros", _NEW, request_only=True),
            OpenApiExample("With the organization's first number", _EXAMPLE, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        """Create an invoice, which gets the organization's next number."""
        actor = actor_of(request)
        permissions.require(actor, Action.CREATE)
        invoice = NewInvoiceSerializer(data=request.data)
        invoice.is_valid(raise_exception=True)
        created = services.create_invoice(
            actor=actor, idempotency_key=_idempotency_key(request), **invoice.validated_data
        ).invoice
        location = reverse("invoice", args=[created.id])
        return Response(_shown(created), status=201, headers={"Location": location})


class InvoiceView(views.APIView):
    @extend_schema(
        operation_id="invoices_get",
        responses=InvoiceSerializer,
        examples=[OpenApiExample("An invoice", _EXAMPLE, response_only=True)],
    )
    def get(self, request: Request, invoice_id: UUID) -> Response:
        """One of the organization's invoices."""
        actor = actor_of(request)
        permissions.require(actor, Action.READ)
        invoice = queries.get(actor.organization_id, invoice_id)
        if invoice is None:
            raise Problem(404, "There is no such invoice.")
        return Response(_shown(invoice))


class VoidInvoiceView(views.APIView):
    @extend_schema(
        operation_id="invoices_void",
        request=None,
        responses={
            200: InvoiceSerializer,
            (403, PROBLEM_JSON): _FORBIDDEN,
            (409, PROBLEM_JSON): problem_answer("The invoice is not open"),
        },
        examples=[OpenApiExample("A void invoice", _EXAMPLE | {"status": "void"}, response_only=True)],
    )
    def post(self, request: Request, invoice_id: UUID) -> Response:
        """Void an invoice that is open."""
        return Response(_shown(services.void_invoice(actor=actor_of(request), invoice_id=invoice_id)))


def _shown(invoice: InvoiceData) -> dict[str, object]:
    return {
        "id": str(invoice.id),
        "number": invoice.number,
        "customer": invoice.customer,
        "amount_cents": invoice.amount_cents,
        "currency": invoice.currency,
        "status": invoice.status,
        "created_at": invoice.created_at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
    }


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is None or re.fullmatch(KEY_PATTERN, key):
        return key
    error = FieldError(pointer="#/Idempotency-Key", detail="It must be 1 to 255 visible ASCII characters.")
    raise Problem(422, "The request is not valid.", errors=[error])


urlpatterns = [
    path("invoices", InvoiceListView.as_view()),
    path("invoices/<uuid:invoice_id>", InvoiceView.as_view(), name="invoice"),
    path("invoices/<uuid:invoice_id>/void", VoidInvoiceView.as_view()),
]
