"""What is written to the database. Each function is one transaction, or a part of its caller's."""

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from .models import User


def change_email(*, user: User, email: str) -> None:
    """From now on the user signs in with this address.

    Raises:
        ValidationError: somebody has it.
    """
    address = User.normalize_username(email)
    try:
        # The constraint decides, so that of two who come at once one is refused.
        with transaction.atomic():
            User.objects.filter(id=user.id).update(email=address)
    except IntegrityError as error:
        raise ValidationError({"email": "Somebody signs in with this address already."}) from error
    user.email = address


def change_password(*, user: User, password: str) -> None:
    """From now on the user signs in with this password; other sessions end."""
    user.set_password(password)
    user.save(update_fields=["password"])
