"""Mail, from templates. Send it after the commit."""

import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

import structlog
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from .settings import Settings

PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
TIMEOUT_SECONDS = 10
_loader = FileSystemLoader(sorted(Path(__file__).parents[1].glob("*/templates")))
_templates = Environment(loader=_loader, autoescape=select_autoescape(), undefined=StrictUndefined)

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def send(settings: Settings, to: str, template: str, **context: object) -> None:
    """Send `template`.txt, whose first line is the subject, and `template`.html. A failure is only logged."""
    subject, _, text = _templates.get_template(f"{template}.txt").render(context).partition("\n")
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = settings.email_from, to, subject
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain="localhost")
    message.set_content(text.strip())
    message.add_alternative(_templates.get_template(f"{template}.html").render(context), subtype="html")
    try:
        deliver(settings, to, message)
    except OSError:
        logger.exception("mail_not_sent", template=template)


def deliver(settings: Settings, to: str, message: EmailMessage) -> None:
    """Hand a message to the mail server; without EMAIL_URL, print it."""
    if settings.email_url is None:
        text = message.get_body(("plain",))
        print(f"To: {to}\nSubject: {message['Subject']}\n\n{text and text.get_content()}", flush=True)
        return
    url, tls = urlsplit(settings.email_url.get_secret_value()), ssl.create_default_context()
    smtps = partial(smtplib.SMTP_SSL, context=tls)
    connect: Callable[..., smtplib.SMTP] = smtps if url.scheme == "smtps" else smtplib.SMTP
    with connect(url.hostname or "", url.port or PORTS[url.scheme], timeout=TIMEOUT_SECONDS) as server:
        if url.scheme == "smtp+tls":
            server.starttls(context=tls)
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
        server.send_message(message, to_addrs=[to])
