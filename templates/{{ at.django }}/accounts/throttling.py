"""The rate limit of failed sign-ins. django-axes counts them for the API, the admin and the pages."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth import authenticate
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse

from ..core.errors import respond
from ..core.problems import Problem
from .models import User

_HEADERS = {"Retry-After": str(int(settings.AXES_COOLOFF_TIME.total_seconds()))}
# The width of django-axes' column.
_MAX_LENGTH = 255


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


def refusal() -> Problem:
    """Return the problem of a refused attempt."""
    return Problem(429, "Too many failed attempts to sign in; try again later.", headers=_HEADERS)


def locked_out(request: HttpRequest, *_: object) -> HttpResponse:
    """Return django-axes' response to a refused attempt."""
    return respond(refusal(), request)
