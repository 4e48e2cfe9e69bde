"""API tokens: signed, each for one membership, valid for an hour.

A token ends early when the user changes the password, signs out everywhere or is deactivated, when the
membership ends, and when SECRET_KEY changes.
"""

from datetime import timedelta
from uuid import UUID

from django.core import signing
from django.utils.crypto import constant_time_compare

from . import queries
from .models import Membership, User

LIFETIME = timedelta(hours=1)

_SALT = "accounts.tokens"
_FINGERPRINT_LENGTH = 16


def issue(membership: Membership) -> str:
    """Return a new token for the membership."""
    return signing.dumps([membership.id.hex, _fingerprint(membership.user)], salt=_SALT)


def response(membership: Membership) -> dict[str, object]:
    """Return the body of a response with a new token (RFC 6749, 5.1)."""
    return {
        "access_token": issue(membership),
        "token_type": "bearer",
        "expires_in": int(LIFETIME.total_seconds()),
    }


def verify(token: str) -> Membership | None:
    """Return the membership of a token, with its user; None if the token is not valid."""
    try:
        membership_id, fingerprint = signing.loads(token, salt=_SALT, max_age=LIFETIME)
    except signing.BadSignature:
        return None
    membership = queries.membership(UUID(membership_id))
    if membership is None or not membership.user.is_active:
        return None
    return membership if constant_time_compare(fingerprint, _fingerprint(membership.user)) else None


def _fingerprint(user: User) -> str:
    # A part of the HMAC is enough to notice another one.
    return user.get_session_auth_hash()[:_FINGERPRINT_LENGTH]
