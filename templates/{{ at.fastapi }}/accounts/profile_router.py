"""Routes: the signed-in user."""

from typing import Annotated

from fastapi import APIRouter, Request, Security

from ..core.database import ReadSessionDependency, SessionDependency
from ..core.dependencies import SessionsDependency, SettingsDependency
from ..core.openapi import problems
from ..core.problems import FieldError, Problem
from . import profile, queries
from .contracts import Actor
from .dependencies import Reader, get_actor
from .errors import MissingScopeError, TooManyAttemptsError, WrongCredentialsError
from .schemas import MeIn, MembershipsOut, MeOut, OrganizationOut, OwnOrganizationOut, PasswordIn
from .services import Credentials

# Whatever the scopes of the token: a viewer is granted none to write with.
SignedIn = Annotated[Actor, Security(get_actor)]

router = APIRouter(tags=["accounts"])


@router.get("/me", summary="Return the signed-in user.", responses=problems(MissingScopeError))
async def get_me(actor: Reader, session: ReadSessionDependency) -> MeOut:
    name, organization = await queries.get_names(session, actor)
    return MeOut(
        id=actor.user_id,
        email=actor.email,
        name=name,
        organization=OrganizationOut(id=actor.organization_id, name=organization),
        role=actor.role,
    )


@router.patch("/me", summary="Change the name of the signed-in user.", responses=problems(422))
async def change_me(body: MeIn, actor: SignedIn, session: SessionDependency) -> MeOut:
    await profile.change_name(session, actor=actor, name=body.name)
    return await get_me(actor, session)


@router.post(
    "/me/password",
    summary="Change the password of the signed-in user.",
    status_code=204,
    responses=problems(422, TooManyAttemptsError),
)
async def change_password(
    body: PasswordIn,
    request: Request,
    actor: SignedIn,
    sessions: SessionsDependency,
    settings: SettingsDependency,
) -> None:
    """All sessions and tokens end, also the token of this request: sign in again.

    Wrong current passwords count as failed attempts to sign in.
    """
    credentials = Credentials(
        email=actor.email,
        password=body.current_password,
        client=request.client.host if request.client else "",
        organization_id=None,
        scopes=frozenset(),
    )
    try:
        await profile.change_password(
            sessions, settings, credentials=credentials, new_password=body.new_password
        )
    except WrongCredentialsError as error:
        wrong = FieldError(pointer="#/current_password", detail="This is not the current password.")
        raise Problem(422, "The request is not valid; see errors.", errors=[wrong]) from error


@router.post("/me/sign-out", summary="Sign out everywhere.", status_code=204)
async def sign_out_everywhere(actor: SignedIn, session: SessionDependency) -> None:
    """All refresh tokens and browser sessions of the user end. Access tokens expire by themselves."""
    await profile.sign_out_everywhere(session, actor=actor)


@router.get(
    "/organizations",
    summary="Return the organizations of the signed-in user, in the order of joining.",
    responses=problems(MissingScopeError),
)
async def list_organizations(actor: Reader, session: ReadSessionDependency) -> MembershipsOut:
    """`POST /api/v1/auth/token` issues a token for another one: send its id as `organization`."""
    found = await queries.list_organizations(session, actor.user_id)
    return MembershipsOut(items=[OwnOrganizationOut.model_validate(row) for row in found])
