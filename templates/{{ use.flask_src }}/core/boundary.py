"""The boundary of a request: what happens before and after every view, and the one shape of every error."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from time import perf_counter

import structlog
from apiflask import APIFlask, HTTPError
from apiflask.schema_adapters import registry
from apiflask.schema_adapters.pydantic import PydanticAdapter
from flask import Request, Response, g, json, request
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import TimeoutError as FullPoolError
from werkzeug.datastructures import Headers
from werkzeug.exceptions import BadRequest, HTTPException, InternalServerError, RequestEntityTooLarge
from werkzeug.middleware.proxy_fix import ProxyFix

from ..extensions import db
from .logs import log_request
from .problems import PROBLEM_JSON, FieldError, Problem, ProblemDocument, pointer, problem_document
from .requests import (
    HSTS,
    MAX_BODY_BYTES,
    REQUEST_ID_HEADER,
    SECURITY_HEADERS,
    begin_request,
    current_request_id,
)
from .settings import Settings

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

ASKED_METHOD = "Access-Control-Request-Method"
ASKED_HEADERS = "Access-Control-Request-Headers"


def guard(app: APIFlask, settings: Settings) -> None:
    """Put the boundary around every request that `app` serves.

    Before the view: the request's id, and whether its host and size are right. After it: the commit, the
    headers and the log line. An exception becomes problem details, and nothing of its transaction stays.
    """
    if hops := settings.proxy_hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    headers = security_headers(settings)

    @app.before_request
    def begin() -> Response | None:
        g.began = perf_counter()
        begin_request(request.headers.get(REQUEST_ID_HEADER))
        # A probe calls by address. TRUSTED_HOSTS knows neither exceptions nor IPv6.
        if not request.path.startswith("/health/") and not _is_served(request.host, settings.allowed_hosts):
            raise Problem(HTTPStatus.BAD_REQUEST, "The Host header names a host that is not served here.")
        # Werkzeug cuts a chunked body off at its limit without a word, hence one byte more than we allow.
        request.max_content_length = MAX_BODY_BYTES + 1
        if len(request.get_data()) > MAX_BODY_BYTES:
            raise RequestEntityTooLarge
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
    app.register_error_handler(FullPoolError, _answer_full_pool)


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


class JsonBodyAdapter(PydanticAdapter):
    """Validates with pydantic what is JSON by its Content-Type; the library's own takes any type for JSON."""

    def validate_input(self, request: Request, location: str, **kwargs: object) -> BaseModel:
        if location == "json":
            try:
                request.get_json()
            except (BadRequest, RecursionError) as error:
                raise Problem(HTTPStatus.BAD_REQUEST, "The body is not valid JSON.") from error
        return super().validate_input(request, location, **kwargs)


registry.register("pydantic", JsonBodyAdapter)


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
    return "*" in allowed_hosts or name in allowed_hosts


def _answer_problem(problem: Problem) -> Response:
    document = problem_document(problem.status, problem.detail, instance=request.path, errors=problem.errors)
    return problem_response(document, problem.headers)


def _answer_apiflask_error(error: HTTPError) -> Response:
    cause = error.__cause__
    if isinstance(cause, ValidationError):
        errors = [
            FieldError(pointer=pointer(item["loc"]), detail=item["msg"].removeprefix("Value error, "))
            for item in cause.errors()
        ]
        problem = Problem(error.status_code, "The request is not valid; see errors.", errors=errors)
    else:
        problem = Problem(error.status_code, str(error.message), headers=dict(Headers(error.headers)))
    return _answer_problem(problem)


def _answer_http_exception(error: HTTPException) -> Response:
    headers = {name: value for name, value in error.get_headers() if name != "Content-Type"}
    detail = error.description or ""
    if isinstance(error, InternalServerError):
        detail = "Something went wrong here. The log has the reason, under this request id."
    return _answer_problem(Problem(error.code or HTTPStatus.INTERNAL_SERVER_ERROR, detail, headers=headers))


def _answer_full_pool(error: FullPoolError) -> Response:
    """All connections of this process were taken for as long as a request waits for one."""
    logger.warning("database_pool_is_full", error=str(error))
    busy = "The database has no free connection for this; try again in a moment."
    return _answer_problem(Problem(HTTPStatus.SERVICE_UNAVAILABLE, busy, headers={"Retry-After": "1"}))
