"""Rate limits. django-axes counts failed sign-ins for the API, the admin and the pages in the database.

Other uses are counted in Django's cache. The default one belongs to a process; with several processes, set a
shared one in `CACHES`.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from time import time
from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_ip_address
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth import authenticate
from django.core.cache import cache
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from ..core.errors import respond
from ..core.problems import Problem
from .models import User

_HEADERS = {"Retry-After": str(int(settings.AXES_COOLOFF_TIME.total_seconds()))}
# The width of django-axes' column.
_MAX_LENGTH = 255
_HOUR = 60 * 60


class SignInHandler(AxesDatabaseHandler):  # type: ignore[misc]  # axes has no types
    """Refuses a client after SIGN_IN_FAILURES_PER_CLIENT failures over all addresses.

    django-axes itself refuses after failures of an address and client.
    """

    def is_locked(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        if super().is_locked(request, credentials):
            return True
        since: datetime = get_cool_off_threshold(request)
        client = request.axes_ip_address  # type: ignore[attr-defined]
        attempts = AccessAttempt.objects.filter(ip_address=client, attempt_time__gte=since)
        failures: int = attempts.aggregate(sum=Sum("failures_since_start"))["sum"] or 0
        limit: int = settings.SIGN_IN_FAILURES_PER_CLIENT
        return failures >= limit


def username(request: HttpRequest, credentials: Mapping[str, Any] | None) -> str:
    """Return the address by which failures are counted, in lower case as users are stored."""
    return User.normalize_username((credentials or request.POST).get("username") or "")[:_MAX_LENGTH]


def sign_in(request: HttpRequest, email: str, password: str) -> User | None:
    """Return the user with this address and password; None, and a failure is counted, if there is none.

    Raises:
        Problem: 429, there were too many failures.
    """
    user = authenticate(request, username=email, password=password)
    if user is None and getattr(request, "axes_locked_out", False):
        raise refusal()
    return user


def count(action: str, who: str, *, limit: int) -> None:
    """Count a use.

    Args:
        action: what is limited, such as `sign-up`.
        who: the client, address or user that is limited.
        limit: the uses per hour.

    Raises:
        Problem: 429, there were more in this hour.
    """
    hour, second = divmod(int(time()), _HOUR)
    key = f"{action}:{hashlib.sha256(who.encode()).hexdigest()}:{hour}"
    cache.add(key, 0, timeout=_HOUR)
    if cache.incr(key) > limit:
        headers = {"Retry-After": str(_HOUR - second)}
        raise Problem(429, _("Too many attempts; try again later."), headers=headers)


def client_of(request: HttpRequest) -> str:
    """Return the client's IP address as django-axes sees it."""
    return str(get_client_ip_address(request))


def refusal() -> Problem:
    """Return the problem of a refused attempt."""
    return Problem(429, "Too many failed attempts to sign in; try again later.", headers=_HEADERS)


def locked_out(request: HttpRequest, *_args: object) -> HttpResponse:
    """Return django-axes' response to a refused attempt."""
    return respond(refusal(), request)
