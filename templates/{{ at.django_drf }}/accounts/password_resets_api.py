"""The HTTP API of a new password by mail."""

from typing import Any

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from ..core.openapi import problem
from ..core.rest import StrictSerializer
from . import password_resets
from .me_api import AddressField, PasswordField


class PasswordResetSerializer(StrictSerializer):
    email = AddressField()


class PasswordResetConfirmSerializer(StrictSerializer):
    token = serializers.CharField(max_length=1024)
    new_password = PasswordField()


class PasswordResetView(GenericAPIView[Any]):
    authentication_classes = ()
    permission_classes = ()
    serializer_class = PasswordResetSerializer

    @extend_schema(
        operation_id="auth_request_password_reset",
        tags=["auth"],
        responses={202: None, **problem(429, "TooManyRequestsProblem", "Too many requests")},
    )
    def post(self, request: Request) -> Response:
        """Ask for a mail to reset a password.

        The response is the same for unknown addresses. Requests are limited per address and per client.
        """
        form = self.get_serializer(data=request.data)
        form.is_valid(raise_exception=True)
        password_resets.send(request, **form.validated_data)
        return Response(status=202)


class PasswordResetConfirmView(GenericAPIView[Any]):
    authentication_classes = ()
    permission_classes = ()
    serializer_class = PasswordResetConfirmSerializer

    @extend_schema(operation_id="auth_confirm_password_reset", tags=["auth"], responses={204: None})
    def post(self, request: Request) -> Response:
        """Set a new password with the token of the mail.

        The token is valid for an hour, once. All sessions and tokens of the user end.
        """
        form = self.get_serializer(data=request.data)
        form.is_valid(raise_exception=True)
        password_resets.confirm(**form.validated_data)
        return Response(status=204)


urlpatterns = [
    path("auth/password-reset", PasswordResetView.as_view()),
    path("auth/password-reset/confirm", PasswordResetConfirmView.as_view()),
]
