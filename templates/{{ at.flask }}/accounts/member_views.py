"""HTTP: the members of the signed-in user's organization."""

from http import HTTPStatus
from uuid import UUID

from apiflask import APIBlueprint

from ..core.openapi import Responses, problem
from . import members, queries
from .auth import auth, current_actor, require_every_scope
from .contracts import Role, Scope
from .errors import LastOwnerError, MemberNotFoundError
from .queries import Member
from .schemas import MemberIn, MemberOut, MemberPage, MemberQuery

CHANGED: Responses = {404: problem(MemberNotFoundError), 409: problem(LastOwnerError)}

blueprint = APIBlueprint("accounts-members", __name__, tag="accounts", url_prefix="/api/v1/members")


@blueprint.get("")
@blueprint.auth_required(auth, roles=[Scope.READ])
@blueprint.input(MemberQuery, location="query")
@blueprint.output(MemberPage)
@blueprint.doc(operation_id="accounts_list_members")
def list_members(query_data: MemberQuery) -> MemberPage:
    """Return the organization's members, oldest first."""
    found, next_cursor = queries.list_members(
        current_actor().organization_id, limit=query_data.limit, after=query_data.cursor
    )
    return MemberPage(items=[_member_out(each) for each in found], next_cursor=next_cursor)


@blueprint.patch("/<uuid:member_id>")
@blueprint.auth_required(auth, roles=[Scope.WRITE])
@blueprint.input(MemberIn)
@blueprint.output(MemberOut)
@blueprint.doc(operation_id="accounts_change_member", responses=CHANGED)
def change_member(member_id: UUID, json_data: MemberIn) -> MemberOut:
    """Give a member another role, as an owner."""
    return _member_out(members.change_role(actor=current_actor(), member_id=member_id, role=json_data.role))


@blueprint.delete("/<uuid:member_id>")
@blueprint.auth_required(auth, roles=[Scope.READ])
@blueprint.output({}, status_code=HTTPStatus.NO_CONTENT)
@blueprint.doc(operation_id="accounts_remove_member", responses=CHANGED)
def remove_member(member_id: UUID) -> str:
    """Remove a member, as an owner, or leave the organization.

    The member's tokens and sessions for the organization end.
    """
    if current_actor().role is Role.OWNER:
        # The others can only leave, with whatever token they have.
        require_every_scope()
    members.remove(actor=current_actor(), member_id=member_id)
    return ""


def _member_out(member: Member) -> MemberOut:
    membership, user = member
    return MemberOut(
        id=membership.id,
        user_id=user.id,
        email=user.email,
        name=user.name,
        role=Role(membership.role),
        created_at=membership.created_at,
    )
