"""Every error becomes a problem document here, whoever raised it."""

from collections.abc import Callable, Coroutine, Mapping
from http import HTTPStatus
from typing import Any, ClassVar

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Scope

from .problems import PROBLEM_JSON, FieldError, Problem, ProblemDocument, pointer, problem_document

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
SENTENCES = {404: "There is nothing at this path.", 405: "This path does not know the method; see Allow."}


class ApiError(Problem):
    """A problem with a type of its own, by which a client can tell it from others of the same status.

    A subclass is at once what is raised and what the contract says of it: `problems(ThatError)`.
    """

    status: int
    type: ClassVar[str]
    title: ClassVar[str]
    detail: str

    def __init__(self, detail: str | None = None, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(self.status, detail or self.detail, headers=headers)

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """The JSON Schema of its problem document."""
        fixed = {"type": cls.type, "title": cls.title, "status": cls.status}
        return {
            "$ref": "#/components/schemas/Problem",
            "properties": {name: {"const": value} for name, value in fixed.items()},
        }


def document_of(problem: Problem, path: str) -> ProblemDocument:
    """The problem document of what was raised while this path was asked for."""
    document = problem_document(problem.status, problem.detail, instance=path, errors=problem.errors)
    if isinstance(problem, ApiError):
        document["type"], document["title"] = problem.type, problem.title
    return document


def problem_response(problem: Problem, scope: Scope) -> Response:
    """The answer to the request of `scope` that says what `problem` says."""
    document = document_of(problem, scope["path"])
    return JSONResponse(document, problem.status, problem.headers, PROBLEM_JSON)


def allowed_methods(request: Request) -> str:
    """The value of `Allow` for the path of `request`, whose methods may be spread over several routes."""
    found = {
        method
        for method in METHODS
        for route in request.app.routes
        if route.matches({**request.scope, "method": method})[0] is Match.FULL
    }
    return ", ".join(sorted({*found, "OPTIONS", *({"HEAD"} if "GET" in found else ())}))


async def on_problem(request: Request, problem: Problem) -> Response:
    return problem_response(problem, request.scope)


async def on_http_exception(request: Request, error: HTTPException) -> Response:
    """What Starlette and FastAPI refuse themselves, such as an unknown path."""
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = allowed_methods(request)
        if request.method == "OPTIONS":
            return Response(status_code=HTTPStatus.NO_CONTENT, headers=headers)
    unspecific = error.detail == HTTPStatus(error.status_code).phrase
    detail = SENTENCES.get(error.status_code, error.detail) if unspecific else error.detail
    return problem_response(Problem(error.status_code, detail, headers=headers), request.scope)


async def on_invalid_request(request: Request, error: RequestValidationError) -> Response:
    """A request that does not fit what the route declares."""
    return problem_response(validation_problem(error), request.scope)


def validation_problem(error: RequestValidationError) -> Problem:
    """The problem behind `error`: 415 or 400 for a body that cannot be read, else 422."""
    # FastAPI leaves the body as bytes where Content-Type does not say JSON.
    if isinstance(error.body, bytes):
        return Problem(415, "The body must be JSON, with Content-Type: application/json.")
    details = error.errors()
    if details[0]["type"] == "json_invalid":
        return Problem(400, f"The body is not valid JSON: {details[0]['ctx']['error']}.")
    errors = [
        FieldError(pointer=pointer(detail["loc"][1:]), detail=detail["msg"].removeprefix("Value error, "))
        for detail in details
    ]
    return Problem(422, "The request is not valid; see errors.", errors=errors)


EXCEPTION_HANDLERS: dict[int | type[Exception], Callable[[Request, Any], Coroutine[Any, Any, Response]]] = {
    Problem: on_problem,
    HTTPException: on_http_exception,
    RequestValidationError: on_invalid_request,
}
