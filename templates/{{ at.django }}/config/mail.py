"""Django's mail settings, made from EMAIL_URL."""

from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

DEFAULT_PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
TIMEOUT_SECONDS = 10


def mailer(secret_url: SecretStr | None) -> dict[str, Any]:
    """Return the entry of `MAILERS` for EMAIL_URL; without one, mail goes to the console."""
    if secret_url is None:
        return {"BACKEND": "django.core.mail.backends.console.EmailBackend", "OPTIONS": {}}
    parts = urlsplit(secret_url.get_secret_value())
    return {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "OPTIONS": {
            "host": parts.hostname,
            "port": parts.port or DEFAULT_PORTS[parts.scheme],
            "username": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            "use_tls": parts.scheme == "smtp+tls",
            "use_ssl": parts.scheme == "smtps",
            "timeout": TIMEOUT_SECONDS,
        },
    }
