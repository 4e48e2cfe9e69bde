"""Errors of this module, each with a `type` of its own."""

from ..core.errors import ApiError

CHALLENGE = {"WWW-Authenticate": "Bearer"}


class NotSignedInError(ApiError):
    status = 401
    type = "urn:problem:not-signed-in"
    title = "Not signed in"
    detail = "Sign in with a token."

    def __init__(self) -> None:
        super().__init__(headers=CHALLENGE)


class InvalidTokenError(ApiError):
    status = 401
    type = "urn:problem:invalid-token"
    title = "Invalid token"
    detail = "The token is invalid or expired."

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})


class WrongCredentialsError(ApiError):
    """For an unknown address and a wrong password alike, so as not to reveal accounts."""

    status = 401
    type = "urn:problem:wrong-credentials"
    title = "Wrong credentials"
    detail = "The e-mail address or the password is wrong."

    def __init__(self) -> None:
        super().__init__(headers=CHALLENGE)


class TooManyAttemptsError(ApiError):
    status = 429
    type = "urn:problem:too-many-attempts"
    title = "Too many attempts"
    detail = "Too many failed attempts to sign in; try again later."

    def __init__(self, retry_after: int) -> None:
        super().__init__(headers={"Retry-After": str(retry_after)})


class NotAMemberError(ApiError):
    status = 403
    type = "urn:problem:not-a-member"
    title = "Not a member"
    detail = "You are not a member of this organization, or of any."


class MemberNotFoundError(ApiError):
    """Also for a member of another organization, so as not to reveal that it exists."""

    status = 404
    type = "urn:problem:member-not-found"
    title = "Member not found"
    detail = "There is no such member."


class LastOwnerError(ApiError):
    status = 409
    type = "urn:problem:last-owner"
    title = "Last owner"
    detail = "The organization has no other active owner; make another member its owner first."


class AlreadyMemberError(ApiError):
    status = 409
    type = "urn:problem:already-member"
    title = "Already a member"
    detail = "A member of the organization has this address."


class InvitationNotFoundError(ApiError):
    status = 404
    type = "urn:problem:invitation-not-found"
    title = "Invitation not found"
    detail = "Ask for a new invitation: this one is not valid any more."


class MissingScopeError(ApiError):
    status = 403
    type = "urn:problem:missing-scope"
    title = "Missing scope"

    def __init__(self, scope: str) -> None:
        challenge = f'Bearer error="insufficient_scope", scope="{scope}"'
        super().__init__(
            f"This requires a token with the scope '{scope}'.", headers={"WWW-Authenticate": challenge}
        )


class MissingRoleError(ApiError):
    status = 403
    type = "urn:problem:missing-role"
    title = "Missing role"

    def __init__(self, role: str) -> None:
        super().__init__(f"This requires the role '{role}' in the organization.")
