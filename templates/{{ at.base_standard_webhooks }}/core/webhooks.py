"""Webhooks that are signed as in Standard Webhooks (https://www.standardwebhooks.com)."""

import hashlib
import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from typing import Any

TOLERANCE_SECONDS = 300
SECRET_PREFIX = "whsec_"  # noqa: S105 (the prefix of every secret)
# The least that the scheme allows.
MIN_KEY_BYTES = 24
# The headers of a webhook, for the OpenAPI document.
PARAMETERS: list[dict[str, Any]] = [
    {"in": "header", "name": name, "required": True, "schema": {"type": kind}, "description": text}
    for name, kind, text in (
        ("webhook-id", "string", "Identifies the webhook, also when it is delivered again."),
        ("webhook-timestamp", "integer", "Seconds since the epoch, at most five minutes off."),
        ("webhook-signature", "string", "`v1,<base64 HMAC-SHA256 of id.timestamp.body>`, one or several."),
    )
]

_ID = re.compile(r"[!-~]{1,255}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


class InvalidWebhookError(Exception):
    """The signature is wrong, a header is missing, or the timestamp is off; safe to show to the caller."""


def key_of(secret: str) -> bytes:
    """Decode a secret, which is `whsec_` and the base64 of a key; raise ValueError for anything else."""
    try:
        key = b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except ValueError:
        key = b""
    if len(key) < MIN_KEY_BYTES or not secret.startswith(SECRET_PREFIX):
        raise ValueError(f"must be {SECRET_PREFIX} and the base64 of at least {MIN_KEY_BYTES} random bytes")
    return key


def sign(secret: str, *, webhook_id: str, timestamp: int, body: bytes) -> str:
    """Return the `webhook-signature` header of a webhook."""
    content = f"{webhook_id}.{timestamp}.".encode() + body
    return "v1," + b64encode(hmac.digest(key_of(secret), content, hashlib.sha256)).decode()


def verify(secrets: Iterable[str], headers: Mapping[str, str], body: bytes, now: float) -> str:
    """Verify the signature of a webhook and return its id, which a repeated delivery has again.

    There are two secrets during a rotation. The names of the headers are in lower case.
    """
    webhook_id = _header(headers, "webhook-id", _ID)
    timestamp = int(_header(headers, "webhook-timestamp", _TIMESTAMP))
    if abs(now - timestamp) > TOLERANCE_SECONDS:
        raise InvalidWebhookError("The webhook-timestamp is more than five minutes off.")
    sent = [signature.encode() for signature in headers.get("webhook-signature", "").split()]
    expected = [
        sign(secret, webhook_id=webhook_id, timestamp=timestamp, body=body).encode() for secret in secrets
    ]
    if not any(hmac.compare_digest(right, candidate) for right in expected for candidate in sent):
        raise InvalidWebhookError("No webhook-signature matches this request.")
    return webhook_id


def _header(headers: Mapping[str, str], name: str, form: re.Pattern[str]) -> str:
    value = headers.get(name, "")
    if not form.fullmatch(value):
        raise InvalidWebhookError(f"The header {name} is missing or malformed.")
    return value
