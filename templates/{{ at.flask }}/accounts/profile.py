"""What users change about themselves: name, password, sign-ins."""

from http import HTTPStatus

from ..core.problems import FieldError, Problem
from ..extensions import db
from . import passwords, queries, services
from .contracts import Actor
from .services import Credentials


def rename(*, actor: Actor, name: str) -> None:
    """Change the actor's name."""
    user = services.lock_user(actor.user_id)
    before, user.name = user.name, name
    if before != name:
        _record(actor, {"name": [before, name]})


def change_password(*, actor: Actor, current: str, new: str, client: str) -> None:
    """Change the actor's password, and end all of the actor's sign-ins.

    Raises:
        Problem: 422 for a wrong current password, 429 over the rate limit of sign-ins.
    """
    try:
        user_id, current_hash = services.check_password(
            Credentials(email=actor.email, password=current, client=client)
        )
    except Problem as problem:
        raise _wrong_password() if problem.status == HTTPStatus.UNAUTHORIZED else problem from None
    # Hold no connection while the new password is hashed.
    db.session.commit()
    new_hash = passwords.hash_password(new)
    user = services.lock_user(user_id)
    if user.password_hash != current_hash:
        raise _wrong_password()
    services.set_password(user, new_hash, actor=actor)


def sign_out_everywhere(*, actor: Actor) -> None:
    """End all of the actor's sign-ins."""
    services.end_sign_ins(actor.user_id)
    _record(actor, {"sign_ins": "ended"})


def _record(actor: Actor, changes: dict[str, object]) -> None:
    user = services.lock_user(actor.user_id)
    for membership, _ in queries.memberships_of(user.id):
        services.record_user(user, membership.organization_id, changes, actor=actor)


def _wrong_password() -> Problem:
    errors = [FieldError(pointer="#/current_password", detail="This is not your password.")]
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The request is not valid; see errors.", errors=errors)
