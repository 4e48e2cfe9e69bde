"""HTTP: invitations to the signed-in user's organization, and joining it."""

from http import HTTPStatus
from uuid import UUID

from apiflask import APIBlueprint
from flask import request

from ..core.openapi import Responses, problem
from ..extensions import db
from . import invitations, queries
from .auth import auth, current_actor
from .contracts import Role, Scope
from .errors import AlreadyMemberError, InvitationNotFoundError
from .permissions import require
from .schemas import AcceptIn, InvitationIn, InvitationOut, InvitationsOut, TokenOut

ALREADY_MEMBER: Responses = {409: problem(AlreadyMemberError)}
NOT_FOUND: Responses = {404: problem(InvitationNotFoundError)}
REFUSED: Responses = {
    401: {"description": "The user exists, and has another password."},
    **NOT_FOUND,
    429: {"description": "Too many failed attempts."},
}

blueprint = APIBlueprint("accounts-invitations", __name__, tag="accounts", url_prefix="/api/v1/invitations")


@blueprint.get("")
@blueprint.auth_required(auth, roles=[Scope.READ])
@blueprint.output(InvitationsOut)
@blueprint.doc(operation_id="accounts_list_invitations")
def list_invitations() -> InvitationsOut:
    """Return the open invitations, oldest first.

    For owners. An expired invitation is open until it is sent again or revoked.
    """
    require(current_actor(), Role.OWNER)
    found = db.session.scalars(queries.open_invitations(current_actor()))
    return InvitationsOut(items=[InvitationOut.model_validate(each) for each in found])


@blueprint.post("")
@blueprint.auth_required(auth, roles=[Scope.WRITE])
@blueprint.input(InvitationIn)
@blueprint.output(InvitationOut, status_code=HTTPStatus.CREATED)
@blueprint.doc(operation_id="accounts_create_invitation", responses=ALREADY_MEMBER)
def create_invitation(json_data: InvitationIn) -> InvitationOut:
    """Invite an address by mail.

    For owners. It replaces an open invitation to the same address.
    """
    created = invitations.create(actor=current_actor(), email=json_data.email, role=json_data.role)
    return InvitationOut.model_validate(created)


@blueprint.post("/<uuid:invitation_id>/resend")
@blueprint.auth_required(auth, roles=[Scope.WRITE])
@blueprint.output({}, status_code=HTTPStatus.NO_CONTENT)
@blueprint.doc(operation_id="accounts_resend_invitation", responses=NOT_FOUND)
def resend_invitation(invitation_id: UUID) -> str:
    """Send an open invitation again, with a new token and expiry."""
    invitations.resend(actor=current_actor(), invitation_id=invitation_id)
    return ""


@blueprint.delete("/<uuid:invitation_id>")
@blueprint.auth_required(auth, roles=[Scope.WRITE])
@blueprint.output({}, status_code=HTTPStatus.NO_CONTENT)
@blueprint.doc(operation_id="accounts_revoke_invitation", responses=NOT_FOUND)
def revoke_invitation(invitation_id: UUID) -> str:
    """Revoke an open invitation."""
    invitations.revoke(actor=current_actor(), invitation_id=invitation_id)
    return ""


@blueprint.post("/accept")
@blueprint.input(AcceptIn)
@blueprint.output(TokenOut)
@blueprint.doc(operation_id="accounts_accept_invitation", responses=REFUSED)
def accept_invitation(json_data: AcceptIn) -> tuple[TokenOut, dict[str, str]]:
    """Accept an invitation with the token of the mail, and sign in.

    A new user gets this password and name. A user with the invited address needs their own password.
    """
    issued = invitations.accept(client=request.remote_addr or "", **json_data.model_dump())
    token = TokenOut(access_token=issued.access_token, expires_in=issued.expires_in, scope=issued.scope)
    return token, {"Cache-Control": "no-store"}
