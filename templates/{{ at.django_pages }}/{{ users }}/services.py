"""Writes to the database. Each function is one transaction, or part of its caller's."""

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from .models import User


def change_email(*, user: User, email: str) -> None:
    """Change the address that the user signs in with.

    Raises:
        ValidationError: another user has it.
    """
    address = User.normalize_username(email)
    try:
        # The constraint rejects one of two concurrent requests.
        with transaction.atomic():
            User.objects.filter(id=user.id).update(email=address)
    except IntegrityError as error:
        raise ValidationError({"email": _("Another user has this address.")}) from error
    user.email = address


def change_password(*, user: User, password: str) -> None:
    """Change the password; other sessions end."""
    user.set_password(password)
    user.save(update_fields=["password"])
