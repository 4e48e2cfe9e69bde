"""How often somebody may do what is costly; Django's cache counts.

Django's default cache is each process's own, so without a shared one in `CACHES` a limit is one of each.
"""

import hashlib
from time import time

from axes.helpers import get_client_ip_address
from django.core.cache import cache
from django.http import HttpRequest

from ..core.problems import Problem

_HOUR = 60 * 60


def count(action: str, who: str, *, limit: int) -> None:
    """Count one use, and let nobody pass who is over the limit in this hour.

    Raises:
        Problem: 429.
    """
    hour, second = divmod(int(time()), _HOUR)
    key = f"{action}:{hashlib.sha256(who.encode()).hexdigest()}:{hour}"
    cache.add(key, 0, timeout=_HOUR)
    if cache.incr(key) > limit:
        headers = {"Retry-After": str(_HOUR - second)}
        raise Problem(429, "This was done too often; try again later.", headers=headers)


def client_of(request: HttpRequest) -> str:
    """The client's IP address as django-axes sees it."""
    return str(get_client_ip_address(request))
