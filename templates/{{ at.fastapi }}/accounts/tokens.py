"""Access tokens: JWTs that are valid for one membership.

A token ends early when the user's password changes, the user is deactivated, the membership ends, or
SECRET_KEY changes.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt
from pydantic import SecretStr

from .contracts import Scope

ISSUER = __name__.partition(".")[0]
AUDIENCE = f"{ISSUER}/api/v1"
ALGORITHM = "HS256"
RESET_LIFETIME = timedelta(hours=1)
CLAIMS = ["iss", "aud", "sub", "iat", "exp", "scope", "pwd"]


@dataclass(frozen=True, slots=True)
class Claims:
    """The content of a token; `fingerprint` is that of the user's password hash."""

    membership_id: UUID
    fingerprint: str
    scopes: frozenset[Scope]


@dataclass(frozen=True, slots=True)
class ResetClaims:
    """The content of a token to reset a password; the fingerprint ends it with the password it replaces."""

    user_id: UUID
    fingerprint: str


def issue(secret_key: SecretStr, claims: Claims, *, lifetime: timedelta) -> str:
    """Sign a new token."""
    now = datetime.now(UTC)
    payload = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(claims.membership_id),
        "iat": now,
        "exp": now + lifetime,
        "scope": format_scopes(claims.scopes),
        "pwd": claims.fingerprint,
    }
    return jwt.encode(payload, _key(secret_key, "tokens"), ALGORITHM)


def verify(secret_key: SecretStr, token: str) -> Claims | None:
    """Return the claims of a token, or None if it is expired or not ours."""
    try:
        payload = jwt.decode(
            token,
            _key(secret_key, "tokens"),
            [ALGORITHM],
            issuer=ISSUER,
            audience=AUDIENCE,
            options={"require": CLAIMS},
        )
    except jwt.InvalidTokenError:
        return None
    return Claims(UUID(payload["sub"]), payload["pwd"], parse_scopes(payload["scope"]))


def issue_reset(secret_key: SecretStr, user_id: UUID, password_hash: str) -> str:
    """Sign a token to reset a password."""
    expires_at = datetime.now(UTC) + RESET_LIFETIME
    payload = {"sub": str(user_id), "exp": expires_at, "pwd": fingerprint(secret_key, password_hash)}
    return jwt.encode(payload, _key(secret_key, "password resets"), ALGORITHM)


def verify_reset(secret_key: SecretStr, token: str) -> ResetClaims | None:
    """Return the claims of a token to reset a password, or None if it is expired or not ours."""
    key = _key(secret_key, "password resets")
    try:
        payload = jwt.decode(token, key, [ALGORITHM], options={"require": ["sub", "exp", "pwd"]})
    except jwt.InvalidTokenError:
        return None
    return ResetClaims(UUID(payload["sub"]), payload["pwd"])


def fingerprint(secret_key: SecretStr, password_hash: str) -> str:
    """Return a value that changes with the password and reveals nothing about it."""
    return hmac.digest(_key(secret_key, "passwords"), password_hash.encode(), hashlib.sha256).hex()[:32]


def format_scopes(scopes: Iterable[Scope]) -> str:
    """Join scopes with spaces, as in OAuth2."""
    return " ".join(sorted(scopes))


def parse_scopes(text: str) -> frozenset[Scope]:
    """Return the scopes in `text`; those that no longer exist are dropped."""
    return frozenset(Scope).intersection(text.split())


def _key(secret_key: SecretStr, purpose: str) -> bytes:
    # One key per purpose: a value made for one is invalid for another.
    return hmac.digest(secret_key.get_secret_value().encode(), purpose.encode(), hashlib.sha256)
