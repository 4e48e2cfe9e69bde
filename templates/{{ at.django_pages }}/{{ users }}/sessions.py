"""The user of a page."""

from typing import cast

from django.http import HttpRequest

from .models import User


def user_of(request: HttpRequest) -> User:
    """Return the user of a page behind `login_required`."""
    return cast("User", request.user)
