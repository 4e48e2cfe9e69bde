"""Who uses a page."""

from typing import cast

from django.http import HttpRequest

from .models import User


def user_of(request: HttpRequest) -> User:
    """Who is signed in, of a page behind `login_required`."""
    return cast("User", request.user)
