"""Authentication of the API by tokens; the settings name it."""

from django.http import HttpRequest
from django.urls import reverse_lazy
from ninja.security.base import AuthBase
from structlog.contextvars import bind_contextvars

from ..core.problems import Problem
from . import tokens
from .contracts import Actor


class OAuth2PasswordBearer(AuthBase):
    """Set `request.user` and, as `request.auth`, the `Actor` of the token's membership."""

    openapi_type = "oauth2"
    openapi_flows = {"password": {"tokenUrl": reverse_lazy("api:auth-token"), "scopes": {}}}  # noqa: RUF012

    def __call__(self, request: HttpRequest) -> Actor:
        """Return the actor.

        Raises:
            Problem: 401; RFC 6750 adds the reason to the challenge only if a token was sent.
        """
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise Problem(401, "Sign in with a token.", headers={"WWW-Authenticate": "Bearer"})
        membership = tokens.verify(token.strip())
        if membership is None:
            challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            raise Problem(401, "The token is expired or not valid.", headers=challenge)
        bind_contextvars(user_id=str(membership.user_id))
        request.user = membership.user
        return membership.actor()
