"""Password hashes: Argon2id, in threads."""

import os

from anyio import CapacityLimiter, to_thread
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

_HASHER = PasswordHasher()
# Each takes a core and 64 MiB; more than one per core would only take more memory.
_LIMITER = CapacityLimiter(os.cpu_count() or 1)
# Verified for unknown users, so that they take as long.
_DUMMY = "$argon2id$v=19$m=65536,t=3,p=4$+IQfp/CJByCcqRrad3JGgw$wWwwUTKWUrvRUkhoOAC7L37LOmMioP5ex+NyIzJ2Ryk"


async def hash_password(password: str) -> str:
    """Hash a password with a random salt."""
    return await to_thread.run_sync(_HASHER.hash, password, limiter=_LIMITER)


async def verify_password(password_hash: str | None, password: str) -> bool:
    """Return whether the password matches; without a hash it does not, which takes as long to find out."""
    return await to_thread.run_sync(_verify, password_hash or _DUMMY, password, limiter=_LIMITER)


def needs_rehash(password_hash: str) -> bool:
    """Return whether the hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(password_hash)


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except VerificationError:
        return False
