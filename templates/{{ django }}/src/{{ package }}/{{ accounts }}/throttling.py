"""How often somebody may try to sign in, in the API and in the admin; django-axes counts the failures."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from ..core.middleware import problem_response
from ..core.problems import Problem, problem_document
from .models import User

_DETAIL = "Too many failed attempts to sign in; try again later."
_HEADERS = {"Retry-After": str(int(settings.AXES_COOLOFF_TIME.total_seconds()))}
# The width of django-axes' column; an address can grow as it is normalized.
_MAX_LENGTH = 255


def username(request: HttpRequest, credentials: Mapping[str, Any] | None) -> str:
    """What django-axes counts by: the address as users are found by it, so that its case is no way out."""
    return User.normalize_username((credentials or request.POST).get("username") or "")[:_MAX_LENGTH]


def locked_out(request: HttpRequest, *_: object) -> HttpResponse:
    """What django-axes answers in place of a page."""
    return problem_response(problem_document(429, _DETAIL, instance=request.path), _HEADERS)


def require_allowed(request: HttpRequest) -> None:
    """Let nobody pass whose attempt to sign in just now was refused for too many failures.

    Raises:
        Problem: 429.
    """
    if getattr(request, "axes_locked_out", False):
        raise Problem(429, _DETAIL, headers=_HEADERS)
