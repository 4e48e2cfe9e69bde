"""The boundary of a request: what happens before and after every view, and the one shape of every error."""

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from threading import BoundedSemaphore
from time import perf_counter

import structlog
from apiflask import APIFlask, HTTPError
from apiflask.schema_adapters import registry
from apiflask.schema_adapters.pydantic import PydanticAdapter
from flask import Request, Response, g, json, request
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as FullPoolError
from werkzeug.datastructures import Headers, MultiDict
from werkzeug.exceptions import BadRequest, HTTPException, InternalServerError, RequestEntityTooLarge
from werkzeug.middleware.proxy_fix import ProxyFix

from ..extensions import db
from .database import THREADS
from .logs import log_request
from .problems import PROBLEM_JSON, FieldError, Problem, ProblemDocument, pointer, problem_document
from .request_id import MAX_BODY_BYTES, REQUEST_ID_HEADER, begin_request, current_request_id
from .security_headers import HSTS, SECURITY_HEADERS
from .settings import Settings

# Whatever comes with these is not read.
BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})
# The server waits for a body as long as its sender likes, which must not take all of its threads.
BODY_WAIT_SECONDS = 0.1
_BODIES = BoundedSemaphore(THREADS // 2)

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

ASKED_METHOD = "Access-Control-Request-Method"
ASKED_HEADERS = "Access-Control-Request-Headers"
# What SQLite says while others write for too long, or when its file is out of reach.
SQLITE_UNAVAILABLE = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_FULL")


def guard(app: APIFlask, settings: Settings) -> None:
    """Put the boundary around every request that `app` serves.

    Before the view: the request's id, and whether its host and size are right. After it: the commit, the
    headers and the log line. An exception becomes problem details, and nothing of its transaction stays.
    """
    if hops := settings.proxy_hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    headers = security_headers(settings)
    hosts = tuple(host.lower() for host in settings.allowed_hosts)

    @app.before_request
    def begin() -> Response | None:
        g.began = perf_counter()
        begin_request(request.headers.get(REQUEST_ID_HEADER))
        # A probe calls by address. TRUSTED_HOSTS knows neither exceptions nor IPv6.
        if not request.path.startswith("/health/") and not _is_served(request.host, hosts):
            raise Problem(HTTPStatus.BAD_REQUEST, "The Host header names a host that is not served here.")
        if request.method not in BODILESS:
            _read_body()
        # What a browser asks before it lets a page of another origin call.
        return Response(status=HTTPStatus.NO_CONTENT) if _is_preflight() else None

    @app.after_request
    def finish(response: Response) -> Response:
        if response.status_code < HTTPStatus.BAD_REQUEST:
            db.session.commit()
        response.headers[REQUEST_ID_HEADER] = current_request_id()
        _let_origins_call(response, settings.cors_origins)
        for name, value in headers:
            response.headers.setdefault(name, value)
        log_request(
            method=request.method,
            path=request.path,
            status=response.status_code,
            seconds=perf_counter() - g.began,
        )
        return response

    app.register_error_handler(Problem, _answer_problem)
    app.register_error_handler(HTTPError, _answer_apiflask_error)
    app.register_error_handler(HTTPException, _answer_http_exception)
    app.register_error_handler(FullPoolError, _answer_unavailable)
    app.register_error_handler(DBAPIError, _answer_database_error)


def security_headers(settings: Settings) -> list[tuple[str, str]]:
    """What every answer has, unless its view says otherwise."""
    return [*SECURITY_HEADERS.items(), *([HSTS] if settings.production else [])]


def problem_response(document: ProblemDocument, headers: Mapping[str, str] | None = None) -> Response:
    """The answer that carries `document`, with its status and content type.

    Args:
        document: the problem.
        headers: sent along, such as `Allow`.
    """
    return Response(json.dumps(document), document["status"], headers, mimetype=PROBLEM_JSON)


def invalid(error: ValidationError) -> Problem:
    """The 422 that says what is wrong with which part of a request."""
    errors = [
        FieldError(pointer=pointer(item["loc"]), detail=item["msg"].removeprefix("Value error, "))
        for item in error.errors()
    ]
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The request is not valid; see errors.", errors=errors)


def _read_body() -> None:
    """Take in the body of the request.

    Raises:
        Problem: 503 if too many threads wait for theirs, 400 if not all of it came.
        RequestEntityTooLarge: it is over the limit.
    """
    if not _BODIES.acquire(timeout=BODY_WAIT_SECONDS):
        busy = "Too many bodies are on their way; try again in a moment."
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, busy, headers={"Retry-After": "1"})
    try:
        # Werkzeug cuts a chunked body off at its limit without a word, hence one byte more than we allow.
        request.max_content_length = MAX_BODY_BYTES + 1
        size = len(request.get_data())
    finally:
        _BODIES.release()
    if size > MAX_BODY_BYTES:
        raise RequestEntityTooLarge
    if size < (request.content_length or 0):
        raise Problem(HTTPStatus.BAD_REQUEST, "The body is shorter than its Content-Length.")


class InputAdapter(PydanticAdapter):
    """Validates with pydantic what was sent, as it was sent.

    The library's own takes any Content-Type for JSON and null for an empty object, the first of what is sent
    twice, and `idempotency_key` for the name of the header Idempotency-Key.
    """

    def validate_input(self, request: Request, location: str, **kwargs: object) -> BaseModel:
        if location not in _SENT:
            return super().validate_input(request, location, **kwargs)
        try:
            return self.model_class.model_validate(_SENT[location](request))
        except ValidationError as error:
            raise invalid(error) from error


registry.register("pydantic", InputAdapter)


def _json(request: Request) -> object:
    try:
        return request.get_json()
    except (BadRequest, RecursionError) as error:
        raise Problem(HTTPStatus.BAD_REQUEST, "The body is not valid JSON.") from error


def _last_of_each(sent: MultiDict[str, str]) -> dict[str, str]:
    return {name: values[-1] for name, values in sent.lists()}


_SENT: dict[str, Callable[[Request], object]] = {
    "json": _json,
    "query": lambda request: _last_of_each(request.args),
    "form": lambda request: _last_of_each(request.form),
    "headers": lambda request: dict(request.headers),
}


def _let_origins_call(response: Response, origins: tuple[str, ...]) -> None:
    """Let pages of these origins call, with any method and header, but without cookies."""
    if not origins:
        return
    response.vary.add("Origin")
    origin = request.headers.get("Origin")
    if origin not in origins:
        return
    response.headers["Access-Control-Allow-Origin"] = origin
    response.headers["Access-Control-Expose-Headers"] = REQUEST_ID_HEADER
    if _is_preflight():
        response.headers["Access-Control-Allow-Methods"] = request.headers[ASKED_METHOD]
        response.headers["Access-Control-Allow-Headers"] = request.headers.get(ASKED_HEADERS, "")
        response.headers["Access-Control-Max-Age"] = "600"


def _is_preflight() -> bool:
    return request.method == "OPTIONS" and ASKED_METHOD in request.headers


def _is_served(host: str, allowed_hosts: tuple[str, ...]) -> bool:
    name = re.sub(r":\d+$", "", host).lower()
    return bool(name) and any(
        allowed in {name, "*"} or (allowed.startswith(".") and f".{name}".endswith(allowed))
        for allowed in allowed_hosts
    )


def _answer_problem(problem: Problem) -> Response:
    document = problem_document(problem.status, problem.detail, instance=request.path, errors=problem.errors)
    return problem_response(document, problem.headers)


def _answer_apiflask_error(error: HTTPError) -> Response:
    if isinstance(error.__cause__, ValidationError):
        return _answer_problem(invalid(error.__cause__))
    headers = dict(Headers(error.headers))
    return _answer_problem(Problem(error.status_code, str(error.message), headers=headers))


def _answer_http_exception(error: HTTPException) -> Response:
    cause = error.original_exception if isinstance(error, InternalServerError) else None
    if isinstance(cause, DBAPIError) and _is_unavailable(cause):
        return _answer_unavailable(cause)
    headers = {name: value for name, value in error.get_headers() if name != "Content-Type"}
    detail = error.description or ""
    if isinstance(error, InternalServerError):
        detail = "Something went wrong here. The log has the reason, under this request id."
    return _answer_problem(Problem(error.code or HTTPStatus.INTERNAL_SERVER_ERROR, detail, headers=headers))


def _answer_database_error(error: DBAPIError) -> Response:
    if not _is_unavailable(error):
        raise error
    return _answer_unavailable(error)


def _is_unavailable(error: DBAPIError) -> bool:
    """Whether the database is gone or too busy; anything else that it says is a mistake of ours."""
    if name := getattr(error.orig, "sqlite_errorname", ""):
        return name.startswith(SQLITE_UNAVAILABLE)
    return error.connection_invalidated or isinstance(error, OperationalError)


def _answer_unavailable(error: DBAPIError | FullPoolError) -> Response:
    """The database is gone, or too busy for as long as a request waits for it."""
    logger.error("database_unavailable", error=str(getattr(error, "orig", error)))
    busy = "The database does not answer, or is too busy; try again in a moment."
    return _answer_problem(Problem(HTTPStatus.SERVICE_UNAVAILABLE, busy, headers={"Retry-After": "1"}))
