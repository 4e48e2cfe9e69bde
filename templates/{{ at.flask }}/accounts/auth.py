"""Authentication of API requests by bearer token."""

from http import HTTPStatus
from typing import Any, NoReturn

from apiflask import HTTPError, HTTPTokenAuth
from flask import g, request
from structlog.contextvars import bind_contextvars

from ..core.problems import Problem
from . import queries
from .contracts import Actor, Scope
from .permissions import scopes_of
from .queries import Bearer

API = "/api/v1/"
# The endpoints below /api/v1 without a token.
OPEN = (
    "accounts.create_token",
    "accounts-invitations.accept_invitation",
    "accounts-password-resets.confirm_password_reset",
    "accounts-password-resets.request_password_reset",
)
SCOPES = {Scope.READ: "Read the organization's data.", Scope.WRITE: "Change the organization's data."}


class TokenAuth(HTTPTokenAuth):
    """Bearer tokens, which a view requires with `auth_required(auth, roles=[scope])`."""

    def get_security_scheme(self) -> dict[str, Any]:
        flow = {"tokenUrl": f"{API}auth/token", "scopes": SCOPES}
        return {"type": "oauth2", "flows": {"password": flow}}


auth = TokenAuth(name="AccessToken")


def require_token() -> Any:  # noqa: ANN401
    """Require a token for every path below /api/v1, also where a view forgets `auth_required`."""
    if request.path.startswith(API) and request.endpoint not in OPEN:
        return auth.login_required(lambda: None)()
    return None


@auth.verify_token  # type: ignore[untyped-decorator]
def verify_token(token: str | None) -> Bearer | None:
    """Return who sent a token, once per request."""
    if "bearer" not in g:
        g.bearer = queries.find_bearer(token or "")
        if g.bearer:
            g.actor = g.bearer.actor
            bind_contextvars(user_id=str(g.actor.user_id))
    bearer: Bearer | None = g.bearer
    return bearer


@auth.get_user_roles  # type: ignore[untyped-decorator]
def get_scopes(bearer: Bearer) -> list[Scope]:
    """Return the scopes of a token that the user's role still allows."""
    return list(bearer.scopes)


@auth.error_processor
def reject(error: HTTPError) -> NoReturn:
    """Respond to a missing or invalid token, or one without the scope.

    Raises:
        Problem: 401 or 403, with the challenge of RFC 6750.
    """
    if error.status_code == HTTPStatus.FORBIDDEN:
        raise _insufficient_scope()
    if "Authorization" in request.headers:
        detail, challenge = "The token is not valid, or has expired.", 'Bearer error="invalid_token"'
    else:
        detail, challenge = "This takes a bearer token.", "Bearer"
    raise Problem(error.status_code, detail, headers={"WWW-Authenticate": challenge})


def _insufficient_scope() -> Problem:
    challenge = {"WWW-Authenticate": 'Bearer error="insufficient_scope"'}
    return Problem(HTTPStatus.FORBIDDEN, "The token lacks the scope for this.", headers=challenge)


def require_every_scope() -> None:
    """Require every scope that the role allows, for what viewers do too, whose tokens can only read.

    Raises:
        Problem: 403, the token was issued for less.
    """
    bearer: Bearer = g.bearer
    if bearer.scopes != scopes_of(bearer.actor.role):
        raise _insufficient_scope()


def current_actor() -> Actor:
    """Return who is signed in, in a view that requires it."""
    actor: Actor = g.actor
    return actor
