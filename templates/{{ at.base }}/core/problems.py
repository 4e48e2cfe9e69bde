"""RFC 9457 problem details: the body of every error response of the API."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar, TypedDict
from urllib.parse import quote

from .request_id import current_request_id

PROBLEM_JSON = "application/problem+json"
# Characters that need no percent-encoding in a fragment and in a path (RFC 3986).
FRAGMENT = "!$&'()*+,;=:@?"
PATH = "/:@!$&'()*+,;=~"
# The names of RFC 9110; Python has them from 3.13 on.
TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}

# The JSON Schema of a problem document and of one of its errors, for the OpenAPI document.
POINTER = {"type": "string", "description": "`#/lines/0` in the body or `query/limit`."}
FIELDS = {"pointer": POINTER, "detail": {"type": "string"}}
PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "Problem details (RFC 9457).",
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string", "description": "The name of the status."},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "What is wrong with this request, in one sentence."},
        "instance": {"type": "string", "description": "The path of the request."},
        "request_id": {"type": "string", "description": "Finds the request in the logs."},
        "errors": {"type": "array", "items": {"type": "object", "required": [*FIELDS], "properties": FIELDS}},
        "checks": {"type": "object", "additionalProperties": {"type": "string", "enum": ["ok", "failed"]}},
    },
}


class FieldError(TypedDict):
    """One validation error; `pointer` is a JSON Pointer (RFC 6901) into the body, or names a parameter."""

    pointer: str
    detail: str


class Problem(Exception):  # noqa: N818 (the name in RFC 9457)
    """Raise it during a request to respond with a problem document.

    Args:
        status: the HTTP status, 400 to 599.
        detail: one sentence for the caller.
        headers: more response headers, such as `WWW-Authenticate`.
        members: more members of the document: `errors` of a 422, `checks` of a failed readiness probe.
    """

    # A subclass that clients can tell apart has a type and a title of its own.
    type: ClassVar[str] = "about:blank"
    title: ClassVar[str] = ""

    def __init__(
        self, status: int, detail: str, *, headers: Mapping[str, str] | None = None, **members: object
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.members = status, detail, members
        self.headers = dict(headers or {})

    def document(self, path: str) -> dict[str, Any]:
        """Return the problem document for a request to `path`, which is not percent-encoded."""
        return {
            "type": self.type,
            "title": self.title or TITLES.get(self.status, HTTPStatus(self.status).phrase),
            "status": self.status,
            "detail": self.detail,
            "instance": quote(path, safe=PATH, errors="replace"),
            "request_id": current_request_id(),
            **{name: value for name, value in self.members.items() if value},
        }


def pointer(location: Sequence[str | int], place: str = "body") -> str:
    """Return where an error is: `#/lines/0` in the body, `query/limit` if `place` is `query`."""
    parts = (str(part).replace("~", "~0").replace("/", "~1") for part in location)
    path = "".join(f"/{quote(part, safe=FRAGMENT, errors='replace')}" for part in parts)
    return f"#{path}" if place == "body" else f"{place}{path}"
