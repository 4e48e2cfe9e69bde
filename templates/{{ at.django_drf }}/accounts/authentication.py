"""Authentication of the API by tokens.

Apart from `api.py`, because REST framework imports it before the views.
"""

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from structlog.contextvars import bind_contextvars

from . import tokens
from .contracts import Actor
from .models import User


class BearerAuthentication(BaseAuthentication):
    """Set `request.user` and, as `request.auth`, the `Actor` of the token's membership."""

    def authenticate(self, request: Request) -> tuple[User, Actor] | None:
        scheme, _, token = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        membership = tokens.verify(token.strip())
        if membership is None:
            raise AuthenticationFailed("The token is expired or not valid.")
        bind_contextvars(user_id=str(membership.user_id))
        return membership.user, membership.actor()

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401; RFC 6750 adds the reason only if a token was sent."""
        sent = get_authorization_header(request).lower().startswith(b"bearer")
        return 'Bearer error="invalid_token"' if sent else "Bearer"
