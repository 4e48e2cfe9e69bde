"""Passwords, hashed with scrypt, which takes a core and 32 MiB for a moment."""

import os
from http import HTTPStatus
from threading import BoundedSemaphore

from werkzeug.security import check_password_hash, generate_password_hash

from ..core.database import THREADS
from ..core.problems import Problem

# With its parameters: N, r and p. What was hashed in another way is hashed anew when its owner signs in.
_METHOD = "scrypt:32768:8:1"
# No more at once than there are cores, or the memory of many sign-ins adds up.
_CORES = BoundedSemaphore(os.cpu_count() or 1)
# Who guesses must not hold every thread. More than may fail at one address, so that the rest are told 429.
_PLACES = BoundedSemaphore(THREADS * 3 // 4)
# A hash that no password has, with the parameters of the others.
_NOBODY = f"{_METHOD}$nobody${'0' * 128}"


def hashed(password: str) -> str:
    """The hash of a password, with its own salt."""
    with _CORES:
        return generate_password_hash(password, _METHOD)


def matches(password_hash: str | None, password: str) -> bool:
    """Whether this is the password. Without a hash, no, after the time that it takes to find out.

    Raises:
        Problem: 503, as many as possible are being checked.
    """
    if not _PLACES.acquire(blocking=False):
        busy = "As many passwords as possible are being checked; try again in a moment."
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, busy, headers={"Retry-After": "1"})
    try:
        with _CORES:
            return check_password_hash(password_hash or _NOBODY, password)
    finally:
        _PLACES.release()


def is_outdated(password_hash: str) -> bool:
    """Whether a password is to be hashed anew."""
    return not password_hash.startswith(f"{_METHOD}$")
