"""Passwords, hashed with Argon2id. That takes a core and 64 MiB for a moment, so it leaves the event loop."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from .errors import TooManySignInsError

Args = ParamSpec("Args")
Result = TypeVar("Result")

_HASHER = PasswordHasher()
# No more at once than there are cores, or the memory of many sign-ins adds up.
_CORES = os.cpu_count() or 1
_WORKERS = ThreadPoolExecutor(max_workers=_CORES, thread_name_prefix="argon2")
# More would wait for longer than anybody does, and who guesses must not make everybody wait.
_PLACES = asyncio.Semaphore(32 * _CORES)
# The hash of a password that nobody has, with the parameters of the others.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$+IQfp/CJByCcqRrad3JGgw$wWwwUTKWUrvRUkhoOAC7L37LOmMioP5ex+NyIzJ2Ryk"


async def hashed(password: str) -> str:
    """The hash of a password, with its own salt.

    Raises:
        TooManySignInsError: too many wait for theirs.
    """
    return await _in_worker(_HASHER.hash, password)


async def matches(password_hash: str | None, password: str) -> bool:
    """Whether this is the password. Without a hash, no, after the time that it takes to find out.

    Raises:
        TooManySignInsError: too many wait for theirs.
    """
    return await _in_worker(_verify, password_hash or _NOBODY, password)


def outdated(password_hash: str) -> bool:
    """Whether it was made with other parameters than one would be today."""
    return _HASHER.check_needs_rehash(password_hash)


async def _in_worker(function: Callable[Args, Result], *args: Args.args, **kwargs: Args.kwargs) -> Result:
    if _PLACES.locked():
        raise TooManySignInsError
    async with _PLACES:
        return await asyncio.get_running_loop().run_in_executor(_WORKERS, partial(function, *args, **kwargs))


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except VerificationError:
        return False
