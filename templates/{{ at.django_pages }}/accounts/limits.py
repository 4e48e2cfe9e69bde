"""Rate limits of pages, counted in Django's cache.

The default cache belongs to a process; with several processes, set a shared one in `CACHES`.
"""

import hashlib
from time import time

from axes.helpers import get_client_ip_address
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from ..core.errors import is_api
from ..core.pages import problem_page
from ..core.problems import Problem
from . import throttling

_HOUR = 60 * 60


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


def locked_out(request: HttpRequest, *_: object) -> HttpResponse:
    """Return django-axes' response to a refused sign-in, a page outside the API."""
    if is_api(request):
        return throttling.locked_out(request)
    return problem_page(request, throttling.refusal())
