"""Passwords, hashed with Argon2id, which takes a core and 64 MiB for a moment."""

import os
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

_HASHER = PasswordHasher()
# No more at once than there are cores, or the memory of many sign-ins adds up.
_CORES = BoundedSemaphore(os.cpu_count() or 1)
# The hash of a password that nobody has, with the parameters of the others.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$+IQfp/CJByCcqRrad3JGgw$wWwwUTKWUrvRUkhoOAC7L37LOmMioP5ex+NyIzJ2Ryk"


def hashed(password: str) -> str:
    """The hash of a password, with its own salt."""
    with _CORES:
        return _HASHER.hash(password)


def matches(password_hash: str | None, password: str) -> bool:
    """Whether this is the password. Without a hash, no, after the time that it takes to find out."""
    with _CORES:
        try:
            return _HASHER.verify(password_hash or _NOBODY, password)
        except VerificationError:
            return False
