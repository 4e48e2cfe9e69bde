"""The HTTP API of the members of an organization."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter
from rest_framework.viewsets import GenericViewSet

from ..core.openapi import problem
from ..core.pagination import KeysetPagination
from ..core.rest import StrictSerializer
from . import members, queries
from .contracts import Role
from .errors import MemberNotFoundError
from .models import Membership
from .permissions import RolePermission
from .public import actor_of

_REFUSALS = {
    **problem(403, "ForbiddenProblem", "The role in the organization is too low"),
    **problem(404, "MemberNotFoundProblem", "The organization has no such member"),
    **problem(409, "LastOwnerProblem", "Nobody else is an active owner of the organization"),
}


class MemberSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    user_id = serializers.UUIDField()
    email = serializers.EmailField(source="user.email")
    name = serializers.CharField(source="user.name")
    role = serializers.ChoiceField(choices=Role.choices)
    created_at = serializers.DateTimeField()


class RoleSerializer(StrictSerializer):
    role = serializers.ChoiceField(choices=Role.choices)


@extend_schema(tags=["accounts"])
@extend_schema_view(
    list=extend_schema(
        operation_id="accounts_list_members",
        summary="Return the members of the organization, oldest first.",
    )
)
class MemberViewSet(ListModelMixin, GenericViewSet[Membership]):
    queryset = Membership.objects.all()
    serializer_class = MemberSerializer
    pagination_class = KeysetPagination
    permission_classes = (RolePermission,)
    oldest_first = True
    lookup_url_kwarg = "member_id"
    # `destroy` is for members who leave, too; the service checks it.
    required_roles = {"list": Role.VIEWER, "destroy": Role.VIEWER}  # noqa: RUF012 (REST framework's style)

    def get_queryset(self) -> QuerySet[Membership]:
        return queries.members(actor_of(self.request).organization_id)

    @extend_schema(
        operation_id="accounts_change_member",
        request=RoleSerializer,
        responses={200: MemberSerializer, **_REFUSALS},
    )
    def partial_update(self, request: Request, member_id: str) -> Response:
        """Give a member another role; an organization keeps an owner."""
        form = RoleSerializer(data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        role = Role(form.validated_data["role"]) if form.validated_data else None
        member = members.change_role(actor=actor_of(request), membership_id=_id(member_id), role=role)
        return Response(self.get_serializer(member).data)

    @extend_schema(operation_id="accounts_remove_member", responses={204: None, **_REFUSALS})
    def destroy(self, request: Request, member_id: str) -> Response:
        """Remove a member, or leave; an organization keeps an owner."""
        members.remove(actor=actor_of(request), membership_id=_id(member_id))
        return Response(status=204)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise MemberNotFoundError from error


router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("members", MemberViewSet, basename="member")
urlpatterns = router.urls
