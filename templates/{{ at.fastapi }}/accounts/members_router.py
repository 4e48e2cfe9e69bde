"""Routes: the members of the organization."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path

from ..core.database import ReadSessionDependency, SessionDependency
from ..core.openapi import problems
from ..core.pagination import KeysetQuery, LimitQuery
from . import members, queries
from .contracts import Role, Scope
from .dependencies import Authenticated, Reader, Writer, get_authenticated
from .errors import LastOwnerError, MemberNotFoundError, MissingRoleError, MissingScopeError
from .schemas import MemberIn, MemberOut, MemberPage

FORBIDDEN = (MissingScopeError, MissingRoleError)

MemberId = Annotated[UUID, Path()]

router = APIRouter(prefix="/members", tags=["accounts"])


@router.get(
    "",
    summary="Return the members of the organization, oldest first.",
    responses=problems(422, MissingScopeError),
)
async def list_members(
    actor: Reader,
    session: ReadSessionDependency,
    limit: LimitQuery = 50,
    cursor: KeysetQuery = None,
) -> MemberPage:
    found, next_cursor = await queries.list_members(
        session, actor.organization_id, limit=limit, cursor=cursor
    )
    return MemberPage(items=[MemberOut.model_validate(row) for row in found], next_cursor=next_cursor)


@router.patch(
    "/{member_id}",
    summary="Give a member another role.",
    responses=problems(422, MemberNotFoundError, LastOwnerError, *FORBIDDEN),
)
async def change_member(
    body: MemberIn, actor: Writer, session: SessionDependency, member_id: MemberId
) -> MemberOut:
    """For owners. The organization keeps an owner."""
    await members.change_role(session, actor=actor, member_id=member_id, role=body.role)
    return MemberOut.model_validate(await queries.get_listed_member(session, member_id))


@router.delete(
    "/{member_id}",
    summary="Remove a member, or leave the organization.",
    status_code=204,
    responses=problems(422, MemberNotFoundError, LastOwnerError, *FORBIDDEN),
)
async def remove_member(
    authenticated: Annotated[Authenticated, Depends(get_authenticated)],
    session: SessionDependency,
    member_id: MemberId,
) -> None:
    """Owners remove members; anybody may leave. Tokens and sessions for the organization end at once."""
    if authenticated.actor.role is Role.OWNER:
        # The others can only leave, and a viewer has no scope to write.
        authenticated.require([Scope.WRITE])
    await members.remove(session, actor=authenticated.actor, member_id=member_id)
