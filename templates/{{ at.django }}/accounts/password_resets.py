"""A new password by mail: the token is Django's, and ends with the password that it replaces."""

from functools import partial
from uuid import UUID

from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.http import HttpRequest
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode
from django.utils.translation import gettext as _

from ..core import mail
from ..core.settings import get_settings
from . import queries, services, throttling
from .models import User

# Rate limits of requests.
PER_CLIENT_AND_HOUR = 20
PER_ADDRESS_AND_HOUR = 5


def send(request: HttpRequest, *, email: str) -> None:
    """Send a token to the user with this address, if there is one; neither the answer nor its time shows it.

    Raises:
        Problem: 429, there were too many requests of this client or for this address.
    """
    throttling.count("reset-client", throttling.client_of(request), limit=PER_CLIENT_AND_HOUR)
    throttling.count("reset-address", User.normalize_username(email), limit=PER_ADDRESS_AND_HOUR)
    mail.send_later(partial(_compose, email))


def confirm(*, token: str, new_password: str) -> None:
    """Set the new password; sessions and tokens end.

    Raises:
        ValidationError: the token is not valid any more, or the password is too weak.
    """
    user = _user_of(token)
    services.check_password(user, new_password)
    with transaction.atomic():
        # Locked, so that only one of several requests uses the token.
        User.objects.select_for_update(no_key=True).get(id=user.id)
        services.change_password(user=_user_of(token), password=new_password)


def split(token: str) -> tuple[str, str]:
    """Return the id of the user as links have it, and Django's own token."""
    user, _dot, secret = token.partition(".")
    return user, secret


def _compose(email: str) -> EmailMultiAlternatives | None:
    user = queries.user_by_email(email)
    if user is None or not user.is_active or not user.has_usable_password():
        return None
    user_id = urlsafe_base64_encode(force_bytes(user.pk))
    token = f"{user_id}.{default_token_generator.make_token(user)}"
    link = f"{get_settings().public_url}/reset-password?token={token}"
    values = {"email": user.email, "link": link, "token": token}
    return mail.compose(user.email, "accounts/mail/password_reset", **values)


def _user_of(token: str) -> User:
    encoded, secret = split(token)
    try:
        user_id = UUID(urlsafe_base64_decode(encoded).decode())
    except ValueError:
        user = None
    else:
        user = User.objects.filter(id=user_id, is_active=True).first()
    if user is None or not default_token_generator.check_token(user, secret):
        raise ValidationError({"token": _("The token is not valid any more; ask for a new one.")})
    return user
