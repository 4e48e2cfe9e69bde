"""The HTTP API of tokens; that of users, members and invitations is in the files `…_api.py`."""

from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.urls import path, reverse
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.response import Response

from ..core.openapi import problem
from ..core.problems import Problem
from ..core.rest import StrictSerializer
from . import (
    invitations,
    invitations_api,
    me_api,
    members_api,
    password_resets_api,
    queries,
    throttling,
    tokens,
)
from .authentication import BearerAuthentication
from .errors import InvalidCredentialsError
from .me_api import NameField, PasswordField


class BearerScheme(OpenApiAuthenticationExtension):
    """The security scheme of the OpenAPI document, behind "Authorize" in Swagger UI."""

    target_class = BearerAuthentication
    name = "OAuth2PasswordBearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, object]:
        return {"type": "oauth2", "flows": {"password": {"tokenUrl": reverse("auth-token"), "scopes": {}}}}


class CredentialsSerializer(serializers.Serializer[dict[str, Any]]):
    """The form of OAuth2's password grant; unknown fields are ignored (RFC 6749, 3.2)."""

    grant_type = serializers.ChoiceField(["password"], required=False)
    username = serializers.CharField(max_length=254, help_text="The user's e-mail address.")
    password = serializers.CharField(max_length=1024, trim_whitespace=False)
    organization = serializers.UUIDField(
        required=False, help_text="One of the user's organizations; by default the one joined first."
    )


class TokenSerializer(serializers.Serializer[dict[str, Any]]):
    access_token = serializers.CharField()
    token_type = serializers.ChoiceField(["bearer"])
    expires_in = serializers.IntegerField(help_text="Seconds.")


class AcceptSerializer(StrictSerializer):
    token = serializers.CharField(max_length=1024)
    password = PasswordField()
    name = NameField(required=False)


class TokenView(GenericAPIView[Any]):
    authentication_classes = ()
    permission_classes = ()
    parser_classes = (FormParser,)
    serializer_class = CredentialsSerializer

    @extend_schema(
        operation_id="auth_create_token",
        tags=["auth"],
        request={FormParser.media_type: CredentialsSerializer},
        responses={
            200: TokenSerializer,
            **problem(400, "BadRequestProblem", "The form cannot be read"),
            **problem(401, "InvalidCredentialsProblem", "The e-mail address or the password is wrong"),
            **problem(403, "NotAMemberProblem", "The user is not a member of the organization"),
            **problem(415, "UnsupportedMediaTypeProblem", "The body is not a form"),
            **problem(429, "TooManyRequestsProblem", "Too many failed sign-ins"),
        },
    )
    def post(self, request: Request) -> Response:
        """Exchange an e-mail address and a password for a token.

        The token is for one organization and ends when the password changes. After too many failures the
        address or the client is refused for a while.
        """
        form = self.get_serializer(data=request.data)
        form.is_valid(raise_exception=True)
        credentials = form.validated_data
        user = throttling.sign_in(request, credentials["username"], credentials["password"])
        if user is None:
            raise InvalidCredentialsError
        user_logged_in.send(sender=type(user), request=request, user=user)
        membership = queries.membership_of(user.pk, credentials.get("organization"))
        if membership is None:
            raise Problem(403, "You are not a member of this organization, or of any.")
        return Response(tokens.response(membership), headers={"Cache-Control": "no-store"})


class AcceptInvitationView(GenericAPIView[Any]):
    authentication_classes = ()
    permission_classes = ()
    serializer_class = AcceptSerializer

    @extend_schema(
        operation_id="accounts_accept_invitation",
        tags=["accounts"],
        responses={
            200: TokenSerializer,
            **problem(401, "InvalidCredentialsProblem", "The user has another password"),
            **problem(404, "InvitationNotFoundProblem", "The token is not valid any more"),
            **problem(429, "TooManyRequestsProblem", "Too many failed sign-ins"),
        },
    )
    def post(self, request: Request) -> Response:
        """Accept an invitation with the token of the mail, and sign in.

        A new user gets this password and name. A user with the invited address needs their own password.
        """
        form = self.get_serializer(data=request.data)
        form.is_valid(raise_exception=True)
        membership = invitations.accept(request, **form.validated_data)
        user_logged_in.send(sender=type(membership.user), request=request, user=membership.user)
        return Response(tokens.response(membership), headers={"Cache-Control": "no-store"})


urlpatterns = [
    path("auth/token", TokenView.as_view(), name="auth-token"),
    *me_api.urlpatterns,
    *members_api.urlpatterns,
    path("invitations/accept", AcceptInvitationView.as_view()),
    *invitations_api.urlpatterns,
    *password_resets_api.urlpatterns,
]
