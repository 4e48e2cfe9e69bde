"""Errors that a client can tell apart by their type."""

from http import HTTPStatus

from ..core.errors import ApiError


class MemberNotFoundError(ApiError):
    """Also for a member of another organization, so as not to reveal that there is one."""

    status = HTTPStatus.NOT_FOUND
    type = "urn:problem:member-not-found"
    title = "Member not found"
    detail = "There is no such member."


class LastOwnerError(ApiError):
    status = HTTPStatus.CONFLICT
    type = "urn:problem:last-owner"
    title = "Last owner"
    detail = "The organization has no other active owner; make another member its owner first."


class AlreadyMemberError(ApiError):
    status = HTTPStatus.CONFLICT
    type = "urn:problem:already-member"
    title = "Already a member"
    detail = "A member of the organization has this address."


class InvitationNotFoundError(ApiError):
    status = HTTPStatus.NOT_FOUND
    type = "urn:problem:invitation-not-found"
    title = "Invitation not found"
    detail = "Ask for a new invitation: this one is not valid any more."
