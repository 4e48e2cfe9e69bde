"""A new password by mail: the token is signed, and ends with the password that it replaces."""

from http import HTTPStatus
from uuid import UUID

from flask import current_app
from itsdangerous import BadData, URLSafeTimedSerializer

from ..core import mail
from ..core.background import after_commit
from ..core.problems import FieldError, Problem
from ..core.settings import Settings
from ..extensions import db
from . import passwords, queries, services
from .addresses import normalize_email
from .models import User

LIFETIME_SECONDS = 3600


def request_mail(*, email: str, client: str) -> None:
    """Mail a token to the user with this address, if there is one.

    Raises:
        Problem: 429, too many requests for the address or from the client.
    """
    settings: Settings = current_app.config["SETTINGS"]
    limits = {
        services.attempts_key("reset", normalize_email(email)): settings.sign_in_failures_per_account,
        services.attempts_key("reset", "", client): settings.sign_in_failures_per_client,
    }
    exceeded = [services.count_attempt(key, limit) for key, limit in limits.items()]
    if any(exceeded):
        raise services.too_many_attempts()
    after_commit(send, email=email)


def send(*, email: str) -> None:
    """Mail a token. Called in the background, so that the time of a response does not reveal accounts."""
    user = queries.user_with(email)
    if user is None or not user.is_active:
        return
    settings: Settings = current_app.config["SETTINGS"]
    address, token = user.email, issue(user)
    # Hold no connection while the mail is sent.
    db.session.rollback()
    mail.send(
        settings,
        address,
        "accounts/mail/password_reset",
        email=address,
        link=f"{settings.public_url}/reset-password?token={token}",
        token=token,
    )


def confirm(*, token: str, new_password: str) -> None:
    """Replace the password of the token's user; all sessions and sign-in tokens end.

    Raises:
        Problem: 422, the token is not valid any more.
    """
    user_id, digest = _claims(token)
    user = db.session.get(User, user_id)
    if user is None or not user.is_active or digest != queries.digest(user.password_hash):
        raise _invalid_token()
    # Hold no connection while the password is hashed.
    db.session.rollback()
    new_hash = passwords.hash_password(new_password)
    user = services.lock_user(user_id)
    if not user.is_active or digest != queries.digest(user.password_hash):
        raise _invalid_token()
    member = queries.member_of(user_id=user_id)
    services.set_password(user, new_hash, actor=member and member.actor())


def issue(user: User) -> str:
    """Return a new token."""
    token: str = _serializer().dumps([str(user.id), queries.digest(user.password_hash)])
    return token


def _claims(token: str) -> tuple[UUID, str]:
    """Return the user's id and the digest of the password hash that a token was issued for."""
    try:
        user_id, digest = _serializer().loads(token, max_age=LIFETIME_SECONDS)
    except BadData as error:
        raise _invalid_token() from error
    return UUID(user_id), digest


def _serializer() -> URLSafeTimedSerializer:
    # The salt keeps it apart from other values that are signed with the secret key, such as the session.
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="password resets")


def _invalid_token() -> Problem:
    errors = [FieldError(pointer="#/token", detail="The token is not valid any more; ask for a new one.")]
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The request is not valid; see errors.", errors=errors)
