"""The HTTP API of the signed-in user."""

from typing import Any, cast

from django.core.exceptions import ValidationError
from django.urls import path
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ..core.openapi import problem
from ..core.rest import StrictSerializer, TextField
from . import queries, services, throttling
from .contracts import Role
from .models import User
from .public import actor_of

NAME_PATTERN = r"^[^\u0000-\u001f\u007f-\u009f]*$"


@extend_schema_field({"type": "string", "maxLength": 200, "pattern": NAME_PATTERN})
class NameField(TextField):
    """A person's name, which may be empty."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 (the field's)
        super().__init__(max_length=200, allow_blank=True, **options)


class PasswordField(serializers.CharField):
    def __init__(self, **options: Any) -> None:  # noqa: ANN401 (the field's)
        super().__init__(max_length=1024, trim_whitespace=False, **options)


class AddressField(serializers.EmailField):
    """An e-mail address, converted to the lower case in which it is stored."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 (the field's)
        super().__init__(max_length=254, **options)

    def to_internal_value(self, data: Any) -> str:  # noqa: ANN401 (as in the base class)
        return User.normalize_username(super().to_internal_value(data))


class OrganizationSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()


class MeSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    email = serializers.EmailField()
    name = serializers.CharField()
    organization = OrganizationSerializer()
    role = serializers.ChoiceField(choices=Role.choices)


class ProfileSerializer(StrictSerializer):
    name = NameField()


class NewPasswordSerializer(StrictSerializer):
    current_password = PasswordField()
    new_password = PasswordField()


class MyOrganizationSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="organization_id")
    name = serializers.CharField(source="organization.name")
    role = serializers.ChoiceField(choices=Role.choices)


class MyOrganizationsSerializer(serializers.Serializer[Any]):
    items = MyOrganizationSerializer(many=True)


@extend_schema(tags=["accounts"])
class MeView(GenericAPIView[Any]):
    serializer_class = MeSerializer

    @extend_schema(operation_id="accounts_get_me")
    def get(self, request: Request) -> Response:
        """Return the signed-in user."""
        return Response(_me(request))

    @extend_schema(operation_id="accounts_change_me", request=ProfileSerializer)
    def patch(self, request: Request) -> Response:
        """Change the signed-in user's name."""
        form = ProfileSerializer(data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        if form.validated_data:
            services.change_name(user=_user(request), **form.validated_data)
        return Response(_me(request))


class PasswordView(GenericAPIView[Any]):
    serializer_class = NewPasswordSerializer

    @extend_schema(
        operation_id="accounts_change_password",
        tags=["accounts"],
        responses={
            204: None,
            **problem(429, "TooManyRequestsProblem", "Too many failed sign-ins"),
        },
    )
    def post(self, request: Request) -> Response:
        """Change the password.

        All sessions and tokens end, the one of this request too: sign in again.
        """
        form = self.get_serializer(data=request.data)
        form.is_valid(raise_exception=True)
        user, passwords = _user(request), form.validated_data
        if throttling.sign_in(request, user.email, passwords["current_password"]) is None:
            raise ValidationError({"current_password": _("This is not your password.")})
        services.check_password(user, passwords["new_password"])
        services.change_password(user=user, password=passwords["new_password"])
        return Response(status=204)


class SignOutView(APIView):
    @extend_schema(
        operation_id="accounts_sign_out_everywhere", tags=["accounts"], request=None, responses={204: None}
    )
    def post(self, request: Request) -> Response:
        """Sign out everywhere: all sessions and tokens of the user end."""
        services.sign_out_everywhere(user=_user(request))
        return Response(status=204)


class OrganizationsView(GenericAPIView[Any]):
    serializer_class = MyOrganizationsSerializer

    @extend_schema(operation_id="accounts_list_organizations", tags=["accounts"])
    def get(self, request: Request) -> Response:
        """Return the organizations of the signed-in user, the one joined first at first.

        Exchange the password for a token of another one by its id.
        """
        memberships = queries.memberships_of(actor_of(request).user_id)
        return Response(self.get_serializer({"items": memberships}).data)


def _user(request: Request) -> User:
    return cast("User", request.user)


def _me(request: Request) -> dict[str, Any]:
    actor, user = actor_of(request), _user(request)
    me = {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "organization": queries.organization(actor.organization_id),
        "role": actor.role,
    }
    return MeSerializer(me).data


urlpatterns = [
    path("me", MeView.as_view()),
    path("me/password", PasswordView.as_view()),
    path("me/sign-out", SignOutView.as_view()),
    path("organizations", OrganizationsView.as_view()),
]
