"""The HTTP API of the invitations to an organization."""

from datetime import datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Router, Schema
from pydantic import ConfigDict

from ..core.openapi import problem
from . import invitations, models, queries
from .contracts import Role
from .me_api import Address
from .public import actor_of
from .roles import require

_FORBIDDEN = problem(403, "ForbiddenProblem", "The role in the organization is too low")
_REFUSALS = {
    **_FORBIDDEN,
    **problem(404, "InvitationNotFoundProblem", "The organization has no such open invitation"),
}

router = Router(tags=["accounts"])


class NewInvitation(Schema):
    model_config = ConfigDict(extra="forbid")

    email: Address
    role: Role


class Invitation(Schema):
    id: UUID
    email: str
    role: Role
    expires_at: datetime
    created_at: datetime


class Invitations(Schema):
    items: list[Invitation]


@router.get(
    "invitations",
    operation_id="accounts_list_invitations",
    summary="Return the open invitations, oldest first.",
    response=Invitations,
    openapi_extra={"responses": _FORBIDDEN},
)
def list_invitations(request: HttpRequest) -> dict[str, object]:
    """For owners. An expired invitation is open until it is sent again or revoked."""
    actor = actor_of(request)
    require(actor, Role.OWNER)
    return {"items": list(queries.open_invitations(actor))}


@router.post(
    "invitations",
    operation_id="accounts_create_invitation",
    summary="Invite an address by mail.",
    response={201: Invitation},
    openapi_extra={
        "responses": problem(409, "AlreadyMemberProblem", "A member of the organization has this address")
    },
)
def create_invitation(
    request: HttpRequest, invitation: NewInvitation, response: HttpResponse
) -> models.Invitation:
    """For owners. It replaces an open invitation to the same address."""
    created = invitations.create(actor=actor_of(request), email=invitation.email, role=invitation.role)
    response.headers["Location"] = reverse("api:invitation", args=[created.id])
    return created


@router.delete(
    "invitations/{uuid:invitation_id}",
    operation_id="accounts_revoke_invitation",
    summary="Revoke an open invitation.",
    url_name="invitation",
    response={204: None},
    openapi_extra={"responses": _REFUSALS},
)
def revoke_invitation(request: HttpRequest, invitation_id: UUID) -> None:
    invitations.revoke(actor=actor_of(request), invitation_id=invitation_id)


@router.post(
    "invitations/{uuid:invitation_id}/resend",
    operation_id="accounts_resend_invitation",
    summary="Send an open invitation again, with a new token and expiry.",
    response={204: None},
    openapi_extra={"responses": _REFUSALS},
)
def resend_invitation(request: HttpRequest, invitation_id: UUID) -> None:
    invitations.resend(actor=actor_of(request), invitation_id=invitation_id)
