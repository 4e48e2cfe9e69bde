"""Who sent a request: the access token in it, and the member for whom that stands."""

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer, OAuth2PasswordBearer, SecurityScopes
from fastapi.security.utils import get_authorization_scheme_param
from structlog.contextvars import bind_contextvars

from ..core.database import SessionDependency
from ..core.dependencies import SettingsDependency
from . import queries, tokens
from .contracts import Actor, Scope
from .errors import InvalidTokenError, MissingScopeError, NotSignedInError
from .permissions import scopes_of
from .tokens import Claims

# These two only describe to the contract what `bearer_token` reads.
access_scheme = OAuth2PasswordBearer(
    tokenUrl="/api/v1/auth/token",
    scopes={Scope.READ: "See what the organization has.", Scope.WRITE: "Change it."},
    scheme_name="AccessToken",
    auto_error=False,
)
refresh_scheme = HTTPBearer(
    scheme_name="RefreshToken", description="The refresh token of the last answer.", auto_error=False
)


def bearer_token(request: Request) -> str:
    """The token that was sent.

    Raises:
        NotSignedInError: there was none.
    """
    scheme, token = get_authorization_scheme_param(request.headers.get("Authorization"))
    if scheme.lower() != "bearer" or not token:
        raise NotSignedInError
    return token.strip()


BearerToken = Annotated[str, Depends(bearer_token)]


def get_claims(token: BearerToken, settings: SettingsDependency) -> Claims:
    """What the access token says, before the database is asked whether it still holds.

    Raises:
        InvalidTokenError: it is not one of ours, or its time is over.
    """
    claims = tokens.verify(settings.secret_key, token)
    if claims is None:
        raise InvalidTokenError
    return claims


ClaimsDependency = Annotated[Claims, Depends(get_claims)]


async def get_member(
    claims: ClaimsDependency, session: SessionDependency, settings: SettingsDependency
) -> queries.Member:
    """The member for whom the token stands, asked for once in a request.

    Raises:
        InvalidTokenError: the membership has ended, or the user was deactivated or has a new password.
    """
    member = await queries.member(session, claims.membership_id)
    if (
        member is None
        or not member.user.is_active
        or claims.fingerprint != tokens.fingerprint(settings.secret_key, member.user.password_hash)
    ):
        raise InvalidTokenError
    bind_contextvars(user_id=str(member.user.id))
    return member


async def get_actor(
    needed: SecurityScopes,
    claims: ClaimsDependency,
    member: Annotated[queries.Member, Depends(get_member)],
    _: Annotated[str | None, Security(access_scheme)],
) -> Actor:
    """Who acts, with a token that has the scopes that the route needs.

    Raises:
        MissingScopeError: it has not, or the role no longer allows them.
    """
    actor = member.actor()
    missing = set(needed.scopes) - (claims.scopes & scopes_of(actor.role))
    if missing:
        raise MissingScopeError(min(missing))
    return actor


Reader = Annotated[Actor, Security(get_actor, scopes=[Scope.READ])]
Writer = Annotated[Actor, Security(get_actor, scopes=[Scope.WRITE])]
