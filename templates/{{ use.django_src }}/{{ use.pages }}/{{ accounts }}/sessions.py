"""Who uses a page: the user who is signed in, for one of their organizations."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, cast
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import SimpleLazyObject
from django.views.decorators.cache import never_cache
from structlog.contextvars import bind_contextvars

from ..core.pages import HtmxRequest
from ..core.problems import Problem
from . import queries
from .contracts import Actor
from .models import Membership, User

Page = Callable[Concatenate[HttpRequest, ...], HttpResponseBase]
MembersPage = Callable[Concatenate[HtmxRequest, Actor, ...], HttpResponseBase]

_CHOSEN = "organization"


def user_of(request: HttpRequest) -> User:
    """Who is signed in, of a page behind `login_required`."""
    return cast("User", request.user)


def memberships(request: HttpRequest) -> tuple[list[Membership], Membership | None]:
    """The user's memberships, the oldest first, and the one that counts: the chosen one, else the oldest.

    There is none that counts for who is a member of nothing.
    """
    found = queries.memberships_of(user_of(request).id)
    chosen = request.session.get(_CHOSEN)
    current = next((one for one in found if str(one.organization_id) == chosen), None)
    return found, current or next(iter(found), None)


def choose(request: HttpRequest, organization_id: UUID) -> None:
    """From now on the session is for this organization, as long as the user is a member of it."""
    request.session[_CHOSEN] = str(organization_id)


def members_page(view: MembersPage) -> Page:
    """A page for who is signed in. Behind the request it gets who acts, and for which organization.

    Anybody else is sent to the sign-in page, a user without an organization gets a 403.
    """

    @never_cache
    @login_required
    @wraps(view)
    def page(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        _, current = memberships(request)
        if current is None:
            raise Problem(403, "You are not a member of any organization.")
        bind_contextvars(user_id=str(current.user_id))
        return view(cast("HtmxRequest", request), current.actor(), *args, **kwargs)

    return page


def organization(request: HttpRequest) -> dict[str, object]:
    """The context processor for the organization's name; a page that does not show it asks for nothing."""

    def name() -> str:
        _, current = memberships(request)
        return current.organization.name if current else ""

    return {"organization": SimpleLazyObject(name)}
