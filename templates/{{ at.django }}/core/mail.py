"""Mail from templates, sent by a thread after the commit.

No request waits for the mail server, or shows by its time whether there was anything to send.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import structlog
from django.core.mail import EmailMultiAlternatives
from django.db import close_old_connections, transaction
from django.template.loader import render_to_string

Compose = Callable[[], EmailMultiAlternatives | None]

logger = structlog.get_logger(__name__)
threads = ThreadPoolExecutor(2, "mail")


def compose(to: str, template: str, **context: object) -> EmailMultiAlternatives:
    """Return a message from `template`.txt, whose first line is the subject, and `template`.html."""
    subject, _, text = render_to_string(f"{template}.txt", context).partition("\n")
    message = EmailMultiAlternatives(subject, text.strip(), to=[to])
    message.attach_alternative(render_to_string(f"{template}.html", context), "text/html")
    return message


def send_later(composed: Compose) -> None:
    """Send what `composed` returns, which a thread calls after the commit."""
    # With the context, logs have the request id.
    transaction.on_commit(lambda: threads.submit(copy_context().run, send, composed), robust=True)


def send(composed: Compose) -> None:
    """Send what `composed` returns now. A failure is only logged."""
    try:
        message = composed()
        # The mail server may take its time.
        close_old_connections()
        if message is not None:
            message.send()
    except Exception:
        logger.exception("mail_not_sent")
    finally:
        close_old_connections()
