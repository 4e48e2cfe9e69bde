"""What recognizes tokens in the API of every module.

Apart from `api.py`, because Django REST Framework imports it before there are views.
"""

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from structlog.contextvars import bind_contextvars

from . import tokens
from .contracts import Actor
from .models import User


class BearerAuthentication(BaseAuthentication):
    """Makes of a good token the request's `user`, and of its membership the `auth`, an `Actor`."""

    def authenticate(self, request: Request) -> tuple[User, Actor] | None:
        scheme, _, token = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        membership = tokens.verify(token.strip())
        if membership is None:
            raise AuthenticationFailed("The token is not valid, or no longer.")
        bind_contextvars(user_id=str(membership.user_id))
        return membership.user, membership.actor()

    def authenticate_header(self, request: Request) -> str:
        """The challenge of a 401; RFC 6750 names a reason only for a token that was sent."""
        sent = get_authorization_header(request).lower().startswith(b"bearer")
        return 'Bearer error="invalid_token"' if sent else "Bearer"
