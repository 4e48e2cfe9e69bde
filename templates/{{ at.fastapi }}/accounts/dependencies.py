"""Authentication: the access token of a request, and the member that it stands for."""

from collections.abc import Iterable
from typing import Annotated, NamedTuple

from fastapi import Body, Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, OAuth2PasswordBearer, SecurityScopes
from fastapi.security.utils import get_authorization_scheme_param
from starlette.requests import HTTPConnection
from structlog.contextvars import bind_contextvars

from . import queries, tokens
from .contracts import Actor, Scope
from .errors import InvalidTokenError, MissingScopeError, NotSignedInError
from .permissions import SCOPES, scopes_of
from .schemas import REFRESH_TOKEN, RefreshTokenIn

# For the OpenAPI document; `bearer_token` reads the header.
access_scheme = OAuth2PasswordBearer(
    tokenUrl="/api/v1/auth/token",
    refreshUrl="/api/v1/auth/token",
    scopes={scope: SCOPES[scope].description for scope in Scope},
    scheme_name="AccessToken",
    auto_error=False,
)
refresh_scheme = HTTPBearer(
    scheme_name="RefreshToken", description="The refresh token, unless it is in the body.", auto_error=False
)


async def bearer_token(connection: HTTPConnection) -> str:
    """Return the bearer token.

    Raises:
        NotSignedInError: there is none.
    """
    scheme, token = get_authorization_scheme_param(connection.headers.get("Authorization"))
    if scheme.lower() != "bearer" or not token:
        raise NotSignedInError
    return token.strip()


BearerToken = Annotated[str, Depends(bearer_token)]


async def refresh_token(
    request: Request,
    _: Annotated[HTTPAuthorizationCredentials | None, Security(refresh_scheme)],
    body: Annotated[RefreshTokenIn | None, Body(examples=[{"refresh_token": REFRESH_TOKEN}])] = None,
) -> str:
    """Return the refresh token, from the body or the `Authorization` header.

    Raises:
        NotSignedInError: there is none.
    """
    return await bearer_token(request) if body is None else body.refresh_token


class Authenticated(NamedTuple):
    """The user of a token, and the scopes of the token that the role still allows."""

    actor: Actor
    scopes: frozenset[Scope]

    def require(self, scopes: Iterable[str]) -> Actor:
        """Return the actor.

        Raises:
            MissingScopeError: the token has not all of these scopes.
        """
        missing = set(scopes) - self.scopes
        if missing:
            raise MissingScopeError(min(missing))
        return self.actor


async def authenticate(connection: HTTPConnection, token: str) -> Authenticated:
    """Look up the member of an access token, and give the database connection back.

    Raises:
        InvalidTokenError: the token is not ours, is expired, or has ended early.
    """
    secret_key = connection.state.settings.secret_key
    claims = tokens.verify(secret_key, token)
    if claims is None:
        raise InvalidTokenError
    async with connection.state.read_sessions() as session:
        member = await queries.get_member(session, claims.membership_id)
    if (
        member is None
        or not member.is_active
        or claims.fingerprint != tokens.fingerprint(secret_key, member.password_hash)
    ):
        raise InvalidTokenError
    bind_contextvars(user_id=str(member.user_id))
    actor = member.actor()
    return Authenticated(actor, claims.scopes & scopes_of(actor.role))


async def authenticate_reader(connection: HTTPConnection, token: str) -> Actor:
    """Return the actor of a connection that outlives a request; call it again from time to time."""
    return (await authenticate(connection, token)).require([Scope.READ])


async def get_authenticated(request: Request, token: BearerToken) -> Authenticated:
    """Authenticate once per request, whatever the scopes."""
    return await authenticate(request, token)


async def get_actor(
    required: SecurityScopes,
    authenticated: Annotated[Authenticated, Depends(get_authenticated)],
    _: Annotated[str | None, Security(access_scheme)],
) -> Actor:
    """Return who sent the request, with a token that has the scopes of the route."""
    return authenticated.require(required.scopes)


RefreshToken = Annotated[str, Depends(refresh_token)]
Reader = Annotated[Actor, Security(get_actor, scopes=[Scope.READ])]
Writer = Annotated[Actor, Security(get_actor, scopes=[Scope.WRITE])]
