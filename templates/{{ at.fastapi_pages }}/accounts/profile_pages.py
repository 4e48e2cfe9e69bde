"""Pages: the profile, and the organization to work for."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from ..core.browsers import Link, go, page, read_form, start_page
from ..core.database import ReadSessionDependency, SessionDependency
from . import visitors
from .errors import NotAMemberError
from .visitors import VisitorDependency

pages = APIRouter()
# Last in the menu.
NAVIGATION = [Link("Profile", "/profile", position=100)]


class OrganizationForm(BaseModel):
    organization: UUID


@pages.get("/profile")
async def profile(request: Request, visitor: VisitorDependency, session: ReadSessionDependency) -> Response:
    memberships = await visitors.memberships_of(session, visitor.actor.user_id)
    return page(request, "accounts/profile.html", memberships=memberships)


@pages.post("/organization")
async def organization(request: Request, visitor: VisitorDependency, session: SessionDependency) -> Response:
    """Switch the session to another organization."""
    form = await read_form(request, OrganizationForm)
    if form.data is None:
        raise NotAMemberError
    await visitors.choose(session, visitor, form.data.organization)
    return go(start_page(request))
