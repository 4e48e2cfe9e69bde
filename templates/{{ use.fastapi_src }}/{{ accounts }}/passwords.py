"""Passwords, hashed with Argon2id. That takes a core and 64 MiB for a moment, so it leaves the event loop."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

_HASHER = PasswordHasher()
# No more at once than there are cores, or the memory of many sign-ins adds up.
_WORKERS = ThreadPoolExecutor(max_workers=os.cpu_count(), thread_name_prefix="argon2")
# The hash of a password that nobody has, with the parameters of the others.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$+IQfp/CJByCcqRrad3JGgw$wWwwUTKWUrvRUkhoOAC7L37LOmMioP5ex+NyIzJ2Ryk"


async def hashed(password: str) -> str:
    """The hash of a password, with its own salt."""
    return await asyncio.get_running_loop().run_in_executor(_WORKERS, _HASHER.hash, password)


async def matches(password_hash: str | None, password: str) -> bool:
    """Whether this is the password. Without a hash, no, after the time that it takes to find out."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_WORKERS, _verify, password_hash or _NOBODY, password)


def outdated(password_hash: str) -> bool:
    """Whether it was made with other parameters than one would be today."""
    return _HASHER.check_needs_rehash(password_hash)


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except VerificationError:
        return False
