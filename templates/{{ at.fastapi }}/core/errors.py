"""Exception handlers: every error of the API is a problem document (RFC 9457)."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from http import HTTPStatus
from socket import gaierror
from typing import Any, cast

import structlog
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Scope

from .problems import PROBLEM_JSON, FieldError, Problem, pointer

UNAVAILABLE = "The service is too busy, or its database does not answer; try again in a moment."
# Another process holds SQLite's write lock for too long, or the file cannot be read.
SQLITE_UNAVAILABLE = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_FULL")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
DETAILS = {
    404: "There is nothing at this path.",
    405: "This path does not support the method; see Allow.",
    413: "The body is larger than this operation accepts.",
}

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class ApiError(Problem):
    """Base class of errors that a client can tell apart by their `type` and `title`.

    Raise a subclass anywhere below a route, and document it with `responses=problems(ThatError)`.
    """

    status: int
    detail: str

    def __init__(self, detail: str | None = None, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(self.status, detail or self.detail, headers=headers)


def problem_response(problem: Problem, scope: Scope) -> Response:
    """Return the response for an error that was raised by the request of `scope`."""
    # The pages set it, to show errors to browsers.
    problem_page = getattr(scope["app"].state, "problem_page", None)
    if problem_page and (page := problem_page(problem, scope)):
        return cast("Response", page)
    return JSONResponse(problem.document(scope["path"]), problem.status, problem.headers, PROBLEM_JSON)


async def on_problem(request: Request, problem: Problem) -> Response:
    return problem_response(problem, request.scope)


async def on_http_exception(request: Request, error: HTTPException) -> Response:
    """Handle what Starlette and FastAPI raise, such as an unknown path."""
    is_default = error.detail in {HTTPStatus(error.status_code).phrase, "Content Too Large"}
    detail = DETAILS.get(error.status_code, error.detail) if is_default else error.detail
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        # Starlette names the methods of one route; a path may have several.
        allowed = {
            method
            for method in METHODS
            for route in request.app.routes
            if route.matches({**request.scope, "method": method})[0] is Match.FULL
        }
        headers["Allow"] = ", ".join(sorted(allowed | ({"HEAD"} if "GET" in allowed else set())))
    return problem_response(Problem(error.status_code, detail, headers=headers), request.scope)


async def on_invalid_request(request: Request, error: RequestValidationError) -> Response:
    """Answer 415 or 400 for a body that is not JSON, else 422."""
    details = error.errors()
    if isinstance(error.body, bytes):
        # FastAPI does not parse the body if the content type is not JSON.
        problem = Problem(415, "The body must be JSON, with Content-Type: application/json.")
    elif details[0]["type"] == "json_invalid":
        problem = Problem(400, f"The body is not valid JSON: {details[0]['ctx']['error']}.")
    else:
        errors = [
            FieldError(
                pointer=pointer(_location(each["loc"][1:], error.body), str(each["loc"][0])),
                detail=each["msg"].removeprefix("Value error, "),
            )
            for each in details
        ]
        problem = Problem(422, "The request is not valid; see errors.", errors=errors)
    return problem_response(problem, request.scope)


def _location(location: Sequence[str | int], body: Any) -> Sequence[str | int]:  # noqa: ANN401 (JSON or a form)
    """Drop the names of a union's alternatives, which Pydantic puts between the keys of the body."""
    path: list[str | int] = []
    for part in location:
        is_key = isinstance(body, list) or (isinstance(body, Mapping) and part in body)
        if is_key or body is None or part == location[-1]:
            path.append(part)
        body = body[part] if is_key else body
    return path


async def on_unavailable(request: Request, error: Exception) -> Response:
    """Handle a database that cannot be reached, a pool with no free connection, and timeouts."""
    if request.scope["type"] != "http":
        raise error
    logger.error("unavailable", error=f"{type(error).__name__}: {error}")
    return problem_response(Problem(503, UNAVAILABLE, headers={"Retry-After": "1"}), request.scope)


async def on_database_error(request: Request, error: DBAPIError) -> Response:
    """Handle a lost connection and a locked database; any other database error is a 500."""
    lost = error.connection_invalidated or "connection was closed" in str(error.orig)
    if lost or getattr(error.orig, "sqlite_errorname", "").startswith(SQLITE_UNAVAILABLE):
        return await on_unavailable(request, error)
    raise error


EXCEPTION_HANDLERS: dict[int | type[Exception], Callable[[Request, Any], Coroutine[Any, Any, Response]]] = {
    Problem: on_problem,
    HTTPException: on_http_exception,
    RequestValidationError: on_invalid_request,
    DBAPIError: on_database_error,
    **dict.fromkeys((PoolTimeoutError, ConnectionError, TimeoutError, gaierror), on_unavailable),
}
