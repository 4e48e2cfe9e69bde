"""Dependencies of this module's routes."""

import time
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request
from pydantic import WithJsonSchema

from ..core import webhooks
from ..core.dependencies import SettingsDependency
from .errors import InvalidSignatureError

_KEY_PATTERN = "^[!-~]{1,255}$"

IdempotencyKeyHeader = Annotated[
    str | None,
    WithJsonSchema({"type": "string", "pattern": _KEY_PATTERN}),
    Header(
        alias="Idempotency-Key",
        pattern=_KEY_PATTERN,
        description="Chosen by the client: a repeated request gets the first response, and changes nothing.",
    ),
]


@dataclass(frozen=True, slots=True)
class SignedWebhook:
    id: str
    body: bytes


async def get_signed_webhook(request: Request, settings: SettingsDependency) -> SignedWebhook:
    """Verify the signature before anything else is read.

    Raises:
        InvalidSignatureError: it is missing, wrong or too old.
    """
    body = await request.body()
    secrets = [secret.get_secret_value() for secret in settings.webhook_secrets]
    try:
        webhook_id = webhooks.verify(secrets, request.headers, body, time.time())
    except webhooks.InvalidWebhookError as error:
        raise InvalidSignatureError(str(error)) from error
    return SignedWebhook(webhook_id, body)


SignedWebhookDependency = Annotated[SignedWebhook, Depends(get_signed_webhook)]
