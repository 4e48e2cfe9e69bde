"""The providers that send webhooks: how each signs a request, and where its id and type are."""

import json
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from flask import current_app
from pydantic import BaseModel

from ..core import webhooks
from ..core.schemas import Text
from ..core.settings import Settings

PAYMENTS = "payments"
# More are not an integer for Python.
MAX_DIGITS = 4300


class Delivery(NamedTuple):
    """A verified webhook: an id, which a repeated delivery has again, and the type of the event."""

    webhook_id: str
    type: str


class _Typed(BaseModel):
    type: Text


def parse(body: bytes | str) -> Any:  # noqa: ANN401
    """Parse JSON, also with numbers in unread fields that Python rejects.

    Raises:
        ValueError: it is not JSON, or is nested too deeply.
    """
    try:
        return json.loads(body, parse_int=lambda digits: int(digits) if len(digits) <= MAX_DIGITS else digits)
    except RecursionError as error:
        raise ValueError("The document is nested too deeply.") from error


def verify_payment(headers: Mapping[str, str], body: bytes) -> Delivery:
    """Verify a webhook of the payment provider (Standard Webhooks, also with Svix' header names).

    Args:
        headers: the request's, by lower-case name.
        body: the raw request body; nothing in it is parsed before the signature is verified.

    Raises:
        InvalidWebhookError: the signature is not valid.
        ValueError: the body is not JSON, or has no type.
    """
    settings: Settings = current_app.config["SETTINGS"]
    secrets = [secret.get_secret_value() for secret in settings.webhook_secrets]
    standard = {name.replace("svix-", "webhook-", 1): value for name, value in headers.items()}
    webhook_id = webhooks.verify(secrets, standard, body, time.time())
    return Delivery(webhook_id, _Typed.model_validate(parse(body)).type)
