"""Routes: invitations to the organization."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Path, Request, Response

from ..core import mail
from ..core.database import ReadSessionDependency, SessionDependency
from ..core.dependencies import SessionsDependency, SettingsDependency
from ..core.openapi import problems
from ..core.settings import Settings
from . import invitations, queries
from .contracts import Actor, Role
from .dependencies import Reader, Writer
from .errors import (
    AlreadyMemberError,
    InvitationNotFoundError,
    MissingRoleError,
    MissingScopeError,
    TooManyAttemptsError,
    WrongCredentialsError,
)
from .models import Invitation
from .permissions import require
from .schemas import AcceptIn, InvitationIn, InvitationOut, InvitationsOut, TokenOut

FORBIDDEN = (MissingScopeError, MissingRoleError)
NO_STORE = {"Cache-Control": "no-store"}

InvitationId = Annotated[UUID, Path()]

router = APIRouter(prefix="/invitations", tags=["accounts"])
# Routes that need no access token.
open_invitations = APIRouter(prefix="/api/v1/invitations", tags=["accounts"])


@router.get("", summary="Return the open invitations, oldest first.", responses=problems(*FORBIDDEN))
async def list_invitations(actor: Reader, session: ReadSessionDependency) -> InvitationsOut:
    """For owners. An expired invitation is open until it is sent again or revoked."""
    require(actor, Role.OWNER)
    found = await session.scalars(queries.open_invitations(actor.organization_id))
    return InvitationsOut(items=[InvitationOut.model_validate(each) for each in found])


@router.post(
    "",
    summary="Invite an address by mail.",
    status_code=201,
    responses=problems(422, AlreadyMemberError, *FORBIDDEN),
)
async def create_invitation(
    body: InvitationIn,
    actor: Writer,
    session: SessionDependency,
    settings: SettingsDependency,
    background: BackgroundTasks,
) -> InvitationOut:
    """For owners. It replaces an open invitation to the same address."""
    invitation, token = await invitations.create(
        session, settings, actor=actor, email=body.email, role=body.role
    )
    organization = (await queries.get_names(session, actor))[1]
    _send(background, settings, actor, invitation, organization=organization, token=token)
    return InvitationOut.model_validate(invitation)


@router.post(
    "/{invitation_id:uuid}/resend",
    summary="Send an open invitation again, with a new token and expiry.",
    status_code=204,
    responses=problems(404, 422, InvitationNotFoundError, *FORBIDDEN),
)
async def resend_invitation(
    actor: Writer,
    session: SessionDependency,
    settings: SettingsDependency,
    background: BackgroundTasks,
    invitation_id: InvitationId,
) -> None:
    invitation, token = await invitations.resend(session, settings, actor=actor, invitation_id=invitation_id)
    organization = (await queries.get_names(session, actor))[1]
    _send(background, settings, actor, invitation, organization=organization, token=token)


@router.delete(
    "/{invitation_id:uuid}",
    summary="Revoke an open invitation.",
    status_code=204,
    responses=problems(404, 422, InvitationNotFoundError, *FORBIDDEN),
)
async def revoke_invitation(actor: Writer, session: SessionDependency, invitation_id: InvitationId) -> None:
    await invitations.revoke(session, actor=actor, invitation_id=invitation_id)


@open_invitations.post(
    "/accept",
    summary="Accept an invitation with the token of the mail, and sign in.",
    responses=problems(422, InvitationNotFoundError, WrongCredentialsError, TooManyAttemptsError),
)
async def accept_invitation(
    body: AcceptIn,
    request: Request,
    response: Response,
    sessions: SessionsDependency,
    settings: SettingsDependency,
) -> TokenOut:
    """A new user gets this password and name. A user with the invited address needs their own password."""
    client = request.client.host if request.client else ""
    grant = await invitations.accept(sessions, settings, client=client, **body.model_dump())
    response.headers.update(NO_STORE)
    return TokenOut.model_validate(grant)


def _send(  # noqa: PLR0913 (one argument per value)
    background: BackgroundTasks,
    settings: Settings,
    actor: Actor,
    invitation: Invitation,
    *,
    organization: str,
    token: str,
) -> None:
    background.add_task(
        mail.send,
        settings,
        invitation.email,
        "accounts/mail/invitation",
        organization=organization,
        invited_by=actor.email,
        role=invitation.role,
        days=settings.invitation_days,
        link=f"{settings.public_url}/accept-invitation?token={token}",
        token=token,
    )
