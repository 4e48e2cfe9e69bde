"""The user of a page and the organization that they work for."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, cast
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _
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
    """Return the user of a page behind `login_required`."""
    return cast("User", request.user)


def memberships(request: HttpRequest) -> tuple[list[Membership], Membership | None]:
    """Return the user's memberships, the oldest first, and the current one: the chosen or the oldest.

    The current one is None if the user has no organization.
    """
    found = queries.memberships_of(user_of(request).id)
    chosen = request.session.get(_CHOSEN)
    current = next((one for one in found if str(one.organization_id) == chosen), None)
    return found, current or next(iter(found), None)


def choose(request: HttpRequest, organization_id: UUID) -> None:
    """Use this organization in the session, as long as the user is a member of it."""
    request.session[_CHOSEN] = str(organization_id)


def members_page(view: MembersPage) -> Page:
    """Wrap a view of a page for members: it receives the request and the actor.

    Others are redirected to the sign-in page; a user without an organization gets a 403.
    """

    @never_cache
    @login_required
    @wraps(view)
    def page(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        current = memberships(request)[1]
        if current is None:
            raise Problem(403, _("You are not a member of any organization."))
        bind_contextvars(user_id=str(current.user_id))
        return view(cast("HtmxRequest", request), current.actor(), *args, **kwargs)

    return page


def organization(request: HttpRequest) -> dict[str, object]:
    """Return the organization's name for the templates, read when it is shown: a context processor."""

    def name() -> str:
        current = memberships(request)[1]
        return current.organization.name if current else ""

    return {"organization": SimpleLazyObject(name)}
