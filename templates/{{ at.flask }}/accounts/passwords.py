"""Password hashing with scrypt."""

import os
from threading import BoundedSemaphore

from flask import current_app
from werkzeug.security import check_password_hash, generate_password_hash

MIN_LENGTH = 8
# With its parameters N, r and p; the configuration's PASSWORD_HASH_METHOD may name another.
METHOD = "scrypt:32768:8:1"
# One at a time per core: each takes 32 MiB.
_CORES = BoundedSemaphore(os.cpu_count() or 1)


def hash_method() -> str:
    """Return the method for new hashes."""
    method: str = current_app.config.get("PASSWORD_HASH_METHOD", METHOD)
    return method


def hash_password(password: str) -> str:
    """Return the hash of a password, with a salt of its own."""
    with _CORES:
        return generate_password_hash(password, hash_method())


def verify_password(password_hash: str | None, password: str) -> bool:
    """Return whether a password is right. Without a hash it is not, after the time that a check takes."""
    unknown_user = f"{hash_method()}$nobody${'0' * 128}"
    with _CORES:
        return check_password_hash(password_hash or unknown_user, password)


def needs_rehash(password_hash: str) -> bool:
    """Return whether a hash was made with another method or other parameters."""
    return not password_hash.startswith(f"{hash_method()}$")
