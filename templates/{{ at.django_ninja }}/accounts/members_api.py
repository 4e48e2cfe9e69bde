"""The HTTP API of the members of an organization."""

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Field, Router, Schema
from ninja.pagination import paginate
from pydantic import ConfigDict

from ..core.openapi import problem
from ..core.pagination import KeysetPagination
from . import members, queries
from .contracts import Role
from .models import Membership
from .public import actor_of

_REFUSALS = {
    **problem(403, "ForbiddenProblem", "The role in the organization is too low"),
    **problem(404, "MemberNotFoundProblem", "The organization has no such member"),
    **problem(409, "LastOwnerProblem", "Nobody else is an active owner of the organization"),
}

router = Router(tags=["accounts"])


class Member(Schema):
    id: UUID
    user_id: UUID
    email: str = Field(alias="user.email")
    name: str = Field(alias="user.name")
    role: Role
    created_at: datetime


class NewRole(Schema):
    model_config = ConfigDict(extra="forbid")

    role: Role


@router.get(
    "members",
    operation_id="accounts_list_members",
    summary="Return the members of the organization, oldest first.",
    response=list[Member],
)
@paginate(KeysetPagination, oldest_first=True)
def list_members(request: HttpRequest) -> QuerySet[Membership]:
    return queries.members(actor_of(request).organization_id)


@router.patch(
    "members/{uuid:member_id}",
    operation_id="accounts_change_member",
    summary="Give a member another role; an organization keeps an owner.",
    response=Member,
    openapi_extra={"responses": _REFUSALS},
)
def change_member(request: HttpRequest, member_id: UUID, change: NewRole) -> Membership:
    return members.change_role(actor=actor_of(request), membership_id=member_id, role=change.role)


@router.delete(
    "members/{uuid:member_id}",
    operation_id="accounts_remove_member",
    summary="Remove a member, or leave; an organization keeps an owner.",
    response={204: None},
    openapi_extra={"responses": _REFUSALS},
)
def remove_member(request: HttpRequest, member_id: UUID) -> None:
    members.remove(actor=actor_of(request), membership_id=member_id)
