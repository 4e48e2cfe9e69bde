"""Who sent a request: the token in it, and the member for whom that stands."""

import re
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import cast

from apiflask import APIFlask
from apiflask.types import DecoratedType
from flask import g, request
from structlog.contextvars import bind_contextvars

from ..core.problems import Problem
from . import queries
from .contracts import Actor, Scope
from .permissions import scopes_of
from .services import PREFIX

API = "/api/v1/"
# Nobody has a token for it yet.
SIGN_IN = "accounts.sign_in"
SCHEME = "AccessToken"
SECURITY_SCHEMES = {
    SCHEME: {
        "type": "oauth2",
        "flows": {
            "password": {
                "tokenUrl": f"{API}auth/token",
                "scopes": {Scope.READ: "See what the organization has.", Scope.WRITE: "Change it."},
            }
        },
    }
}

_AUTHORIZATION = re.compile(rf"bearer +({PREFIX}[A-Za-z0-9_-]{{43}})", re.IGNORECASE)


def protect(app: APIFlask) -> None:
    """Let nobody pass below /api/v1 without a token, not even where a view forgets to say what it takes."""
    app.config["SECURITY_SCHEMES"] = SECURITY_SCHEMES
    app.before_request(_authenticate)


def requires(scope: Scope) -> Callable[[DecoratedType], DecoratedType]:
    """A view for tokens with this scope, as the contract then says. It stands right below the route.

    Raises:
        Problem: 403, the token has another scope, or the role no longer allows this one.
    """

    def decorate(view: DecoratedType) -> DecoratedType:
        @wraps(view)
        def guarded(*args: object, **kwargs: object) -> object:
            if scope not in g.scopes:
                challenge = f'Bearer error="insufficient_scope", scope="{scope}"'
                raise Problem(
                    HTTPStatus.FORBIDDEN,
                    f"This takes a token with the scope '{scope}'.",
                    headers={"WWW-Authenticate": challenge},
                )
            return view(*args, **kwargs)

        # Where APIFlask's own decorators leave what they know.
        vars(guarded).setdefault("_spec", {})["security"] = [{SCHEME: [scope.value]}]
        return cast("DecoratedType", guarded)

    return decorate


def current_actor() -> Actor:
    """Who acts, in a view for which somebody has to be signed in."""
    actor: Actor = g.actor
    return actor


def _authenticate() -> None:
    """Before a request below /api/v1: find out who acts.

    Raises:
        Problem: 401, there is no token, or it is not good.
    """
    if not request.path.startswith(API) or request.endpoint == SIGN_IN:
        return
    sent = request.headers.get("Authorization", "")
    if not sent:
        raise _unauthorized("Sign in with a token.", "Bearer")
    found = _AUTHORIZATION.fullmatch(sent)
    bearer = found and queries.bearer(found[1])
    if not bearer:
        raise _unauthorized("The token is not valid, or no longer.", 'Bearer error="invalid_token"')
    g.actor = bearer.member.actor()
    g.scopes = frozenset(map(Scope, bearer.token.scope.split())) & scopes_of(g.actor.role)
    bind_contextvars(user_id=str(g.actor.user_id))


def _unauthorized(detail: str, challenge: str) -> Problem:
    return Problem(HTTPStatus.UNAUTHORIZED, detail, headers={"WWW-Authenticate": challenge})
