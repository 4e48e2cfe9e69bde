"""The HTTP API: tokens."""

from typing import Any

from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_logged_in
from django.urls import path, reverse
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, views
from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.response import Response

from ..core.problems import PROBLEM_JSON, Problem
from ..core.rest import PROBLEM_SCHEMA, JsonText
from . import queries, throttling, tokens
from .authentication import BearerAuthentication

CHALLENGE = {"WWW-Authenticate": "Bearer"}


class BearerScheme(OpenApiAuthenticationExtension):
    """How to sign in, for the contract; Swagger's "Authorize" asks what this says."""

    target_class = BearerAuthentication
    name = "OAuth2PasswordBearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, object]:
        return {"type": "oauth2", "flows": {"password": {"tokenUrl": reverse("auth-token"), "scopes": {}}}}


class CredentialsSerializer(serializers.Serializer[dict[str, Any]]):
    """OAuth2's password form; other fields, which clients send along, are ignored (RFC 6749, 3.2)."""

    grant_type = serializers.ChoiceField(["password"], required=False)
    username = JsonText(max_length=254, help_text="The user's e-mail address.")
    password = JsonText(max_length=1024, trim_whitespace=False)
    organization = serializers.UUIDField(
        required=False, help_text="For which of the user's organizations; by default the one joined first."
    )


class TokenSerializer(serializers.Serializer[dict[str, Any]]):
    access_token = serializers.CharField()
    token_type = serializers.ChoiceField(["bearer"])
    expires_in = serializers.IntegerField(help_text="Seconds.")


class TokenView(views.APIView):
    authentication_classes = ()
    permission_classes = ()
    parser_classes = (FormParser,)

    @extend_schema(
        operation_id="auth_token",
        tags=["auth"],
        request={FormParser.media_type: CredentialsSerializer},
        responses={
            200: TokenSerializer,
            **{(status, PROBLEM_JSON): PROBLEM_SCHEMA for status in (400, 401, 403, 415, 429)},
        },
    )
    def post(self, request: Request) -> Response:
        """A token for the API, in exchange for an e-mail address and a password.

        It stands for the user in one organization, and ends when the password changes. After ten failures in
        a row, further attempts are refused for a quarter of an hour.
        """
        form = CredentialsSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        credentials = form.validated_data
        user = authenticate(request, username=credentials["username"], password=credentials["password"])
        if user is None:
            throttling.require_allowed(request)
            raise Problem(401, "The e-mail address or the password is wrong.", headers=CHALLENGE)
        user_logged_in.send(sender=type(user), request=request, user=user)
        membership = queries.membership_of(user.pk, credentials.get("organization"))
        if membership is None:
            raise Problem(403, "You are not a member of this organization, or of any.")
        answer = {
            "access_token": tokens.issue(membership),
            "token_type": "bearer",
            "expires_in": int(tokens.LIFETIME.total_seconds()),
        }
        return Response(TokenSerializer(answer).data, headers={"Cache-Control": "no-store"})


urlpatterns = [
    path("auth/token", TokenView.as_view(), name="auth-token"),
]
