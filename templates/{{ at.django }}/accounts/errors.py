"""Errors that a client can tell apart by their type."""

from ..core.problems import Problem


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
