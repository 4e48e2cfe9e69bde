"""The HTTP API of the invitations to an organization."""

from typing import Any
from uuid import UUID

from django.urls import path, reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ..core.openapi import problem
from ..core.rest import StrictSerializer
from . import invitations, queries
from .contracts import Role
from .me_api import AddressField
from .permissions import RolePermission
from .public import actor_of

_FORBIDDEN = problem(403, "ForbiddenProblem", "The role in the organization is too low")
_REFUSALS = {
    **_FORBIDDEN,
    **problem(404, "InvitationNotFoundProblem", "The organization has no such open invitation"),
}


class InvitationSerializer(StrictSerializer):
    id = serializers.UUIDField(read_only=True)
    email = AddressField()
    role = serializers.ChoiceField(choices=Role.choices)
    expires_at = serializers.DateTimeField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)


class InvitationsSerializer(serializers.Serializer[Any]):
    items = InvitationSerializer(many=True)


class InvitationsView(GenericAPIView[Any]):
    serializer_class = InvitationSerializer
    permission_classes = (RolePermission,)

    @extend_schema(
        operation_id="accounts_list_invitations",
        tags=["accounts"],
        responses={200: InvitationsSerializer, **_FORBIDDEN},
    )
    def get(self, request: Request) -> Response:
        """Return the open invitations, oldest first.

        For owners. An expired invitation is open until it is sent again or revoked.
        """
        found = queries.open_invitations(actor_of(request))
        return Response(InvitationsSerializer({"items": found}).data)

    @extend_schema(
        operation_id="accounts_create_invitation",
        tags=["accounts"],
        responses={
            201: InvitationSerializer,
            **problem(409, "AlreadyMemberProblem", "A member of the organization has this address"),
        },
    )
    def post(self, request: Request) -> Response:
        """Invite an address by mail.

        For owners. It replaces an open invitation to the same address.
        """
        form = self.get_serializer(data=request.data)
        form.is_valid(raise_exception=True)
        email, role = form.validated_data["email"], Role(form.validated_data["role"])
        created = invitations.create(actor=actor_of(request), email=email, role=role)
        location = reverse("invitation", args=[created.id])
        return Response(self.get_serializer(created).data, status=201, headers={"Location": location})


class InvitationView(APIView):
    permission_classes = (RolePermission,)

    @extend_schema(
        operation_id="accounts_revoke_invitation", tags=["accounts"], responses={204: None, **_REFUSALS}
    )
    def delete(self, request: Request, invitation_id: UUID) -> Response:
        """Revoke an open invitation."""
        invitations.revoke(actor=actor_of(request), invitation_id=invitation_id)
        return Response(status=204)


class ResendInvitationView(APIView):
    permission_classes = (RolePermission,)

    @extend_schema(
        operation_id="accounts_resend_invitation",
        tags=["accounts"],
        request=None,
        responses={204: None, **_REFUSALS},
    )
    def post(self, request: Request, invitation_id: UUID) -> Response:
        """Send an open invitation again, with a new token and expiry."""
        invitations.resend(actor=actor_of(request), invitation_id=invitation_id)
        return Response(status=204)


urlpatterns = [
    path("invitations", InvitationsView.as_view()),
    path("invitations/<uuid:invitation_id>", InvitationView.as_view(), name="invitation"),
    path("invitations/<uuid:invitation_id>/resend", ResendInvitationView.as_view()),
]
