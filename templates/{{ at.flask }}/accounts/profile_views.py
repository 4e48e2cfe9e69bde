"""HTTP: the signed-in user."""

from http import HTTPStatus

from apiflask import APIBlueprint
from flask import request

from ..extensions import db
from . import profile, queries
from .auth import auth, current_actor, require_every_scope
from .contracts import Role, Scope
from .models import Organization, User
from .schemas import MeIn, MeOut, MyOrganizationOut, OrganizationList, OrganizationOut, PasswordIn

blueprint = APIBlueprint("accounts-profile-api", __name__, tag="accounts", url_prefix="/api/v1")


@blueprint.get("/me")
@blueprint.auth_required(auth, roles=[Scope.READ])
@blueprint.output(MeOut)
@blueprint.doc(operation_id="accounts_get_me")
def get_me() -> MeOut:
    """Return the signed-in user."""
    return _me()


@blueprint.patch("/me")
@blueprint.auth_required(auth, roles=[Scope.READ])
@blueprint.input(MeIn)
@blueprint.output(MeOut)
@blueprint.doc(operation_id="accounts_change_me")
def change_me(json_data: MeIn) -> MeOut:
    """Change the name of the signed-in user."""
    require_every_scope()
    profile.rename(actor=current_actor(), name=json_data.name)
    return _me()


@blueprint.post("/me/password")
@blueprint.auth_required(auth, roles=[Scope.READ])
@blueprint.input(PasswordIn)
@blueprint.output({}, status_code=HTTPStatus.NO_CONTENT)
@blueprint.doc(operation_id="accounts_change_password", responses={429: "Too many failed attempts."})
def change_password(json_data: PasswordIn) -> str:
    """Change the password.

    It ends all sessions and tokens of the user, that of this request too: sign in again. Failed attempts
    count as failed sign-ins.
    """
    require_every_scope()
    profile.change_password(
        actor=current_actor(),
        current=json_data.current_password,
        new=json_data.new_password,
        client=request.remote_addr or "",
    )
    return ""


@blueprint.post("/me/sign-out")
@blueprint.auth_required(auth, roles=[Scope.READ])
@blueprint.output({}, status_code=HTTPStatus.NO_CONTENT)
@blueprint.doc(operation_id="accounts_sign_out_everywhere")
def sign_out_everywhere() -> str:
    """Sign out everywhere: end all sessions and tokens of the user."""
    require_every_scope()
    profile.sign_out_everywhere(actor=current_actor())
    return ""


@blueprint.get("/organizations")
@blueprint.auth_required(auth, roles=[Scope.READ])
@blueprint.output(OrganizationList)
@blueprint.doc(operation_id="accounts_list_organizations")
def list_organizations() -> OrganizationList:
    """Return the organizations of the signed-in user, for which tokens can be asked."""
    memberships = queries.memberships_of(current_actor().user_id)
    items = [
        MyOrganizationOut(id=each.organization_id, name=name, role=Role(each.role))
        for each, name in memberships
    ]
    return OrganizationList(items=items)


def _me() -> MeOut:
    actor = current_actor()
    user = db.session.get_one(User, actor.user_id)
    organization = db.session.get_one(Organization, actor.organization_id)
    return MeOut(
        id=user.id,
        email=user.email,
        name=user.name,
        organization=OrganizationOut(id=organization.id, name=organization.name),
        role=actor.role,
    )
