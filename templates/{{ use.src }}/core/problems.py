"""RFC 9457 problem details: the one shape of every error that leaves this service."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, NotRequired, TypedDict
from urllib.parse import quote

from .requests import current_request_id

PROBLEM_JSON = "application/problem+json"
# Of RFC 3986, what stands for itself in a fragment and in a part of a pointer.
FRAGMENT = "!$&'()*+,;=:@?"
# RFC 9110's names, which Python has from 3.13 on.
TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}


# The JSON Schema of a problem document, for the contract.
PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "Problem details (RFC 9457).",
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string", "description": "What the status means."},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "What went wrong this time."},
        "instance": {"type": "string", "description": "The path that was asked for."},
        "request_id": {"type": "string", "description": "Finds the request in the logs."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "A JSON Pointer as a URI fragment."},
                    "detail": {"type": "string"},
                },
            },
        },
        "checks": {"type": "object", "additionalProperties": {"type": "string", "enum": ["ok", "failed"]}},
    },
}


class FieldError(TypedDict):
    """One thing that is wrong with a request: `pointer` is a JSON Pointer (RFC 6901) as a URI fragment."""

    pointer: str
    detail: str


class ProblemDocument(TypedDict):
    """The body of an error answer. `errors` is there for a 422, `checks` for a failed readiness check."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    request_id: str
    errors: NotRequired[list[FieldError]]
    checks: NotRequired[dict[str, str]]


class Problem(Exception):  # noqa: N818 (an answer, named as RFC 9457 names it)
    """Raise it anywhere below a request: the answer is its problem document.

    Args:
        status: the HTTP status, 400 to 599.
        detail: one sentence for the caller about this occurrence; it is shown to them.
        errors: what is wrong with which part of the request.
        headers: sent with the answer, such as `WWW-Authenticate`.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})


def problem_document(
    status: int, detail: str, *, instance: str, errors: Sequence[FieldError] = ()
) -> ProblemDocument:
    """The problem document of one error.

    Args:
        status: the HTTP status, which also gives the title.
        detail: one sentence for the caller.
        instance: the path that was asked for, as text; it becomes a URI reference.
        errors: what is wrong with which part of the request.
    """
    document = ProblemDocument(
        type="about:blank",
        title=TITLES.get(status, HTTPStatus(status).phrase),
        status=status,
        detail=detail,
        instance=quote(instance, safe="/:@!$&'()*+,;=~", errors="replace"),
        request_id=current_request_id(),
    )
    if errors:
        document["errors"] = list(errors)
    return document


def pointer(location: Sequence[str | int]) -> str:
    """The JSON Pointer of a path into a document, as a URI fragment: `("lines", 0)` gives `#/lines/0`."""
    parts = (str(part).replace("~", "~0").replace("/", "~1") for part in location)
    return "#" + "".join(f"/{quote(part, safe=FRAGMENT, errors='replace')}" for part in parts)
