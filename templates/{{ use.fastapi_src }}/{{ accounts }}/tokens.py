"""Access tokens: JWTs that are good for a quarter of an hour, and for one membership.

A token ends early when its user changes the password or is deactivated, when the membership ends, and when
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

LIFETIME = timedelta(minutes=15)
ISSUER = __name__.partition(".")[0]
AUDIENCE = f"{ISSUER}/api/v1"
ALGORITHM = "HS256"
CLAIMS = ["iss", "aud", "sub", "iat", "exp", "scope", "pwd"]


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says; `fingerprint` is that of the password with which it was asked for."""

    membership_id: UUID
    fingerprint: str
    scopes: frozenset[Scope]


def issue(secret_key: SecretStr, claims: Claims) -> str:
    """A new token."""
    now = datetime.now(UTC)
    payload = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(claims.membership_id),
        "iat": now,
        "exp": now + LIFETIME,
        "scope": text_of(claims.scopes),
        "pwd": claims.fingerprint,
    }
    return jwt.encode(payload, _key(secret_key, "tokens"), ALGORITHM)


def verify(secret_key: SecretStr, token: str) -> Claims | None:
    """What a token says; none if we did not make it, or if its time is over."""
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
    return Claims(UUID(payload["sub"]), payload["pwd"], scopes_in(payload["scope"]))


def fingerprint(secret_key: SecretStr, password_hash: str) -> str:
    """What changes with the password, and says nothing about it."""
    return hmac.digest(_key(secret_key, "passwords"), password_hash.encode(), hashlib.sha256).hex()[:32]


def text_of(scopes: Iterable[Scope]) -> str:
    """Scopes as OAuth2 writes them."""
    return " ".join(sorted(scopes))


def scopes_in(text: str) -> frozenset[Scope]:
    """The scopes that `text_of` wrote, as far as there still are such."""
    return frozenset(Scope).intersection(text.split())


def _key(secret_key: SecretStr, purpose: str) -> bytes:
    # A key of its own for each purpose, so that what is made for one is worth nothing for another.
    return hmac.digest(secret_key.get_secret_value().encode(), purpose.encode(), hashlib.sha256)
