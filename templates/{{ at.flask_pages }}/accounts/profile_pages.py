"""Pages: the profile, and the choice of the organization to work for."""

from uuid import UUID

from flask import Blueprint, Response, current_app
from pydantic import BaseModel

from ..core.browsers import go, page, read_form
from . import queries, services, visitors
from .visitors import current_visitor

pages = Blueprint("accounts-profile", __name__)


class OrganizationForm(BaseModel):
    organization: UUID


@pages.get("/profile")
def profile() -> Response:
    memberships = queries.memberships_of(current_visitor().actor.user_id)
    return page("accounts/profile.html", memberships=memberships)


@pages.post("/organization")
def organization() -> Response:
    """Switch to another organization.

    Raises:
        Problem: 403, the user is not in it.
    """
    form = read_form(OrganizationForm)
    if form.data is None:
        raise services.not_a_member()
    visitors.choose(current_visitor(), form.data.organization)
    return go(current_app.config["START_PAGE"])
