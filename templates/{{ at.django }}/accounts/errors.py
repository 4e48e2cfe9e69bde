"""Errors that a client can tell apart by their type."""

from ..core.problems import Problem


class InvalidCredentialsError(Problem):
    """For an unknown address and a wrong password alike, so as not to reveal accounts."""

    def __init__(self) -> None:
        detail = "The e-mail address or the password is wrong."
        super().__init__(401, detail, headers={"WWW-Authenticate": "Bearer"})


class MemberNotFoundError(Problem):
    type = "urn:problem:member-not-found"
    title = "Member not found"

    def __init__(self) -> None:
        super().__init__(404, "There is no such member.")


class LastOwnerError(Problem):
    type = "urn:problem:last-owner"
    title = "Last owner"

    def __init__(self) -> None:
        super().__init__(409, "An organization keeps an owner; make another member an owner first.")


class AlreadyMemberError(Problem):
    type = "urn:problem:already-member"
    title = "Already a member"

    def __init__(self) -> None:
        super().__init__(409, "A member of the organization has this address.")


class InvitationNotFoundError(Problem):
    type = "urn:problem:invitation-not-found"
    title = "Invitation not found"

    def __init__(self) -> None:
        super().__init__(404, "Ask for a new invitation: this one is not valid any more.")
