"""What recognizes tokens in the API of every module, which is why the settings name it."""

from django.http import HttpRequest
from django.urls import reverse_lazy
from ninja.security.base import AuthBase
from structlog.contextvars import bind_contextvars

from ..core.problems import Problem
from . import tokens
from .contracts import Actor


class OAuth2PasswordBearer(AuthBase):
    """Makes of a good token the request's `user`, and of its membership the `auth`, an `Actor`.

    The contract names it by its class; Swagger's "Authorize" asks what the attributes say.
    """

    openapi_type = "oauth2"
    openapi_flows = {"password": {"tokenUrl": reverse_lazy("api:auth-token"), "scopes": {}}}  # noqa: RUF012

    def __call__(self, request: HttpRequest) -> Actor:
        """The request's `auth`.

        Raises:
            Problem: 401, with a challenge; RFC 6750 names a reason only for a token that was sent.
        """
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise Problem(401, "Sign in with a token.", headers={"WWW-Authenticate": "Bearer"})
        membership = tokens.verify(token.strip())
        if membership is None:
            challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            raise Problem(401, "The token is not valid, or no longer.", headers=challenge)
        bind_contextvars(user_id=str(membership.user_id))
        request.user = membership.user
        return membership.actor()
