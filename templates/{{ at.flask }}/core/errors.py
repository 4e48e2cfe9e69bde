"""Error handlers: every error of the API is an RFC 9457 problem document."""

from http import HTTPStatus
from typing import Any

import structlog
from apiflask import APIFlask, HTTPError
from flask import Response, json, request
from flask.json.provider import DefaultJSONProvider
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException, InternalServerError

from .problems import PROBLEM_JSON, FieldError, Problem, pointer

# SQLite's codes for a file that is locked or cannot be used now.
SQLITE_UNAVAILABLE = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_FULL")
# Where APIFlask's locations are; the others are the body.
PLACES = {"query": "query", "headers": "header", "path": "path", "cookies": "cookie"}
DETAILS = {
    404: "There is nothing at this path.",
    500: "Something went wrong. The log has the reason, under this request id.",
}

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class JSONProvider(DefaultJSONProvider):
    def loads(self, s: str | bytes, **kwargs: Any) -> Any:  # noqa: ANN401
        """Parse JSON; one that is nested too deeply is invalid."""
        try:
            return super().loads(s, **kwargs)
        except RecursionError as error:
            raise ValueError("The document is nested too deeply.") from error


class ApiError(Problem):
    """Base class of errors that a client can tell apart by their `type`, which has a `title`."""

    status: int
    detail: str

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(self.status, detail or self.detail)


def init_app(app: APIFlask) -> None:
    """Register the error handlers."""
    app.json = JSONProvider(app)
    app.register_error_handler(Problem, handle_problem)
    app.register_error_handler(HTTPError, handle_apiflask_error)
    app.register_error_handler(HTTPException, handle_http_exception)
    app.register_error_handler(PoolTimeoutError, handle_database_error)
    app.register_error_handler(DBAPIError, handle_database_error)


def invalid(error: ValidationError, place: str = "body") -> Problem:
    """Return the 422 that lists the errors in a place: `body`, `query`, `header`, `path` or `cookie`."""
    errors = [
        FieldError(pointer=pointer(item["loc"], place), detail=item["msg"].removeprefix("Value error, "))
        for item in error.errors()
    ]
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The request is not valid; see errors.", errors=errors)


def is_unavailable(error: DBAPIError) -> bool:
    """Return whether the database is unreachable or busy, in which case a retry may help."""
    if name := getattr(error.orig, "sqlite_errorname", ""):
        return name.startswith(SQLITE_UNAVAILABLE)
    return error.connection_invalidated or isinstance(error, OperationalError)


def handle_problem(problem: Problem) -> Response:
    body = json.dumps(problem.document(request.path))
    return Response(body, problem.status, problem.headers, mimetype=PROBLEM_JSON)


def handle_apiflask_error(error: HTTPError) -> Response:
    if isinstance(error.__cause__, ValidationError):
        (location,) = error.detail
        return handle_problem(invalid(error.__cause__, PLACES.get(location, "body")))
    headers = dict(Headers(error.headers))
    return handle_problem(Problem(error.status_code, str(error.message), headers=headers))


def handle_http_exception(error: HTTPException) -> Response:
    cause = error.original_exception if isinstance(error, InternalServerError) else None
    if isinstance(cause, DBAPIError) and is_unavailable(cause):
        # The commit failed, after the view.
        return handle_database_error(cause)
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    headers = {name: value for name, value in error.get_headers() if name != "Content-Type"}
    detail = DETAILS.get(status, error.description or "")
    return handle_problem(Problem(status, detail, headers=headers))


def handle_database_error(error: DBAPIError | PoolTimeoutError) -> Response:
    if isinstance(error, DBAPIError) and not is_unavailable(error):
        raise error
    logger.error("database_unavailable", error=str(getattr(error, "orig", error)))
    detail = "The database does not answer, or is too busy; try again in a moment."
    return handle_problem(Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": "1"}))
