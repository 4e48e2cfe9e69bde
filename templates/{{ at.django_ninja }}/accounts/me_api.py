"""The HTTP API of the signed-in user."""

from typing import Annotated, cast
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Field, Router, Schema
from pydantic import AfterValidator, ConfigDict, StringConstraints, WithJsonSchema

from ..core.openapi import problem
from . import models, queries, services, throttling
from .contracts import Role
from .public import actor_of

NAME_PATTERN = r"^[^\u0000-\u001f\u007f-\u009f]*$"

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN, max_length=200, strip_whitespace=True)]
Password = Annotated[str, StringConstraints(min_length=1, max_length=1024, pattern=r"^[^\u0000]*$")]


def _address(value: str) -> str:
    try:
        validate_email(value)
    except ValidationError as error:
        raise ValueError(error.message) from error
    return models.User.normalize_username(value)


# An e-mail address, converted to the lower case in which it is stored.
Address = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=254),
    AfterValidator(_address),
    WithJsonSchema({"type": "string", "format": "email", "maxLength": 254}),
]

router = Router(tags=["accounts"])


class Organization(Schema):
    id: UUID
    name: str


class Me(Schema):
    id: UUID
    email: str
    name: str
    organization: Organization
    role: Role


class Profile(Schema):
    model_config = ConfigDict(extra="forbid")

    name: Name


class NewPassword(Schema):
    model_config = ConfigDict(extra="forbid")

    current_password: Password
    new_password: Password


class MyOrganization(Schema):
    id: UUID = Field(alias="organization_id")
    name: str = Field(alias="organization.name")
    role: Role


class MyOrganizations(Schema):
    items: list[MyOrganization]


@router.get("me", operation_id="accounts_get_me", summary="Return the signed-in user.", response=Me)
def get_me(request: HttpRequest) -> dict[str, object]:
    actor, user = actor_of(request), _user(request)
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "organization": queries.organization(actor.organization_id),
        "role": actor.role,
    }


@router.patch(
    "me", operation_id="accounts_change_me", summary="Change the signed-in user's name.", response=Me
)
def change_me(request: HttpRequest, profile: Profile) -> dict[str, object]:
    services.change_name(user=_user(request), name=profile.name)
    return get_me(request)


@router.post(
    "me/password",
    operation_id="accounts_change_password",
    summary="Change the password.",
    response={204: None},
    openapi_extra={"responses": problem(429, "TooManyRequestsProblem", "Too many failed sign-ins")},
)
def change_password(request: HttpRequest, passwords: NewPassword) -> None:
    """All sessions and tokens end, the one of this request too: sign in again."""
    user = _user(request)
    if throttling.sign_in(request, user.email, passwords.current_password) is None:
        raise ValidationError({"current_password": _("This is not your password.")})
    services.check_password(user, passwords.new_password)
    services.change_password(user=user, password=passwords.new_password)


@router.post(
    "me/sign-out",
    operation_id="accounts_sign_out_everywhere",
    summary="Sign out everywhere: all sessions and tokens of the user end.",
    response={204: None},
)
def sign_out(request: HttpRequest) -> None:
    services.sign_out_everywhere(user=_user(request))


@router.get(
    "organizations",
    operation_id="accounts_list_organizations",
    summary="Return the organizations of the signed-in user, the one joined first at first.",
    response=MyOrganizations,
    by_alias=False,
)
def list_organizations(request: HttpRequest) -> dict[str, object]:
    """Exchange the password for a token of another one by its id."""
    return {"items": queries.memberships_of(actor_of(request).user_id)}


def _user(request: HttpRequest) -> models.User:
    return cast("models.User", request.user)
