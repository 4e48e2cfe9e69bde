"""The HTTP API of invoices."""

import re
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    extend_schema,
    extend_schema_field,
    extend_schema_view,
)
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.viewsets import GenericViewSet

from ..accounts.permissions import RolePermission
from ..accounts.public import actor_of
from ..core.openapi import problem
from ..core.pagination import KeysetPagination
from ..core.problems import FieldError, Problem, pointer
from ..core.rest import IntegerField, StrictSerializer, TextField
from . import permissions, queries, services
from .currencies import CURRENCIES, validate_currency
from .models import MAX_AMOUNT_CENTS, Invoice

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

_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "pattern": KEY_PATTERN},
    OpenApiParameter.HEADER,
    description="Identifies the request: repeating it returns the first response and creates nothing.",
)


@extend_schema_field({"type": "string", "enum": sorted(CURRENCIES)})
class CurrencyField(serializers.Field[str, object, str, Any]):
    """A currency. A ChoiceField would build its dictionary of all currencies for every response."""

    def to_internal_value(self, data: object) -> str:
        validate_currency(str(data))
        return str(data)

    def to_representation(self, value: str) -> str:
        return value


class InvoiceSerializer(StrictSerializer):
    id = serializers.UUIDField(read_only=True)
    number = IntegerField(read_only=True, min_value=1)
    customer = TextField(max_length=200)
    amount_cents = IntegerField(min_value=1, max_value=MAX_AMOUNT_CENTS)
    currency = CurrencyField()
    status = serializers.ChoiceField(choices=Invoice.Status.choices, read_only=True)
    created_at = serializers.DateTimeField(read_only=True)


class InvoiceFilter(serializers.Serializer[dict[str, str]]):
    status = serializers.ChoiceField(choices=Invoice.Status.choices, required=False)


@extend_schema(tags=["billing"])
@extend_schema_view(
    list=extend_schema(
        operation_id="billing_list_invoices",
        summary="Return the tenant's invoices, newest first.",
        parameters=[InvoiceFilter],
    ),
    retrieve=extend_schema(
        operation_id="billing_get_invoice",
        summary="Return an invoice.",
        examples=[OpenApiExample("An invoice", _EXAMPLE, response_only=True)],
    ),
)
class InvoiceViewSet(ListModelMixin, RetrieveModelMixin, GenericViewSet[Invoice]):
    queryset = Invoice.objects.all()
    serializer_class = InvoiceSerializer
    pagination_class = KeysetPagination
    permission_classes = (RolePermission,)
    keyset = "number"
    lookup_field = "id"
    lookup_url_kwarg = "invoice_id"
    lookup_value_converter = "uuid"
    required_roles = {  # noqa: RUF012 (REST framework's style)
        "list": permissions.READ,
        "retrieve": permissions.READ,
        "create": permissions.CREATE,
        "void": permissions.VOID,
    }

    def get_queryset(self) -> QuerySet[Invoice]:
        return queries.list_invoices(actor_of(self.request).organization_id)

    def filter_queryset(self, queryset: QuerySet[Invoice, Any]) -> QuerySet[Invoice, Any]:
        if self.action != "list":
            return queryset
        query = InvoiceFilter(data=self.request.query_params.dict())
        query.is_valid(raise_exception=True)
        return queryset.filter(**query.validated_data)

    @extend_schema(
        operation_id="billing_create_invoice",
        parameters=[_KEY],
        responses={
            201: InvoiceSerializer,
            **problem(409, "IdempotencyKeyReusedProblem", "The Idempotency-Key was used for another request"),
        },
        examples=[
            OpenApiExample("An invoice over 1,200.50 euros", _NEW, request_only=True),
            OpenApiExample("The tenant's first invoice", _EXAMPLE, response_only=True),
        ],
    )
    def create(self, request: Request) -> Response:
        """Create an invoice with the tenant's next number."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        created = services.create_invoice(
            actor=actor_of(request), idempotency_key=_idempotency_key(request), **serializer.validated_data
        )
        location = reverse("invoice-detail", args=[created.invoice.id])
        return Response(self.get_serializer(created.invoice).data, status=201, headers={"Location": location})

    @extend_schema(
        operation_id="billing_void_invoice",
        request=None,
        responses={
            200: InvoiceSerializer,
            **problem(409, "InvoiceNotOpenProblem", "The invoice is not open"),
        },
        examples=[OpenApiExample("A void invoice", _EXAMPLE | {"status": "void"}, response_only=True)],
    )
    @action(detail=True, methods=["post"])
    def void(self, request: Request, **path: Any) -> Response:  # noqa: ANN401 (the values in the path)
        """Void an open invoice."""
        invoice = services.void_invoice(actor=actor_of(request), **path)
        return Response(self.get_serializer(invoice).data)


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is None or re.fullmatch(KEY_PATTERN, key):
        return key
    where = pointer(("Idempotency-Key",), "header")
    error = FieldError(pointer=where, detail="It must be 1 to 255 visible ASCII characters.")
    raise Problem(422, "The request is not valid.", errors=[error])


router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("invoices", InvoiceViewSet, basename="invoice")
urlpatterns = router.urls
