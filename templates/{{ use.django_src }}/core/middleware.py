"""What surrounds every request: its id, its line in the log, security headers, and problem details."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from ipaddress import ip_address
from secrets import token_urlsafe
from time import perf_counter

from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.middleware import common
from django.utils.functional import SimpleLazyObject

from .logs import log_request
from .problems import PROBLEM_JSON, Problem, ProblemDocument, problem_document
from .request_id import MAX_BODY_BYTES, REQUEST_ID_HEADER, begin_request
from .security_headers import HSTS, SECURITY_HEADERS

GetResponse = Callable[[HttpRequest], HttpResponseBase]

CSP_HEADER = "Content-Security-Policy"
# In the environment of a request whose body was not waited for.
BODY_REFUSED = "body_refused"

UNAVAILABLE = "The database does not answer, or is too busy; try again in a moment."
# What SQLite says while others write for too long, or when its file is out of reach.
SQLITE_UNAVAILABLE = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_FULL")

# What Django answers by itself, and by which its error pages are replaced.
_DETAILS: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: "The request is malformed, or its Host is not served here.",
    HTTPStatus.FORBIDDEN: "This is not allowed.",
    HTTPStatus.NOT_FOUND: "There is nothing at this address.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address does not know this method.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something went wrong here; it is logged under this request id.",
}


def problem_response(document: ProblemDocument, headers: Mapping[str, str] | None = None) -> JsonResponse:
    """The answer that carries a problem document, with its status and with more headers if there are any."""
    status = document["status"]
    response = JsonResponse(document, status=status, headers=headers, content_type=PROBLEM_JSON)
    response.headers["Content-Length"] = str(len(response.content))
    return response


def csp_nonce(request: HttpRequest) -> dict[str, object]:
    """The context processor for `<script nonce="{{ csp_nonce }}">`; a page that does not use it has none.

    Django has a policy of its own from 6.0 on. This serves 5.2 too, and `csp_nonce_attr` in the admin of 6.1.
    """
    return {"csp_nonce": SimpleLazyObject(lambda: request.META.setdefault("csp_nonce", token_urlsafe(16)))}


def _content_security_policy(request: HttpRequest) -> str:
    policy = SECURITY_HEADERS[CSP_HEADER]
    nonce = request.META.get("csp_nonce")
    if nonce:
        policy += f"; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'"
    return policy


class RequestMiddleware:
    """Give every answer a request id, security headers and one line in the log."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = perf_counter()
        request_id = begin_request(request.headers.get(REQUEST_ID_HEADER))
        _believe_proxies(request)
        response = self.get_response(request)
        response.headers[REQUEST_ID_HEADER] = request_id
        response.headers.setdefault(CSP_HEADER, _content_security_policy(request))
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        if settings.SECURE_HSTS_SECONDS:
            response.headers.setdefault(*HSTS)
        log_request(
            method=request.method,
            path=request.path,
            status=response.status_code,
            seconds=perf_counter() - started,
        )
        return response


class ProblemMiddleware:
    """Turn Django's own error pages into problem documents, and refuse bodies too large or cut off."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            _check_body(request)
        except Problem as problem:
            return _answer(problem, request)
        response = self.get_response(request)
        if not isinstance(response, HttpResponse) or not _is_error_page(response):
            return response
        if settings.DEBUG and "text/html" in request.headers.get("Accept", ""):
            # A developer's browser gets Django's debug page, which is styled and scripted inline.
            response.headers[CSP_HEADER] = "default-src 'self' 'unsafe-inline'"
            return response
        detail = _DETAILS.get(response.status_code, response.reason_phrase)
        answer = _answer(Problem(response.status_code, detail), request)
        response.content = answer.content
        for name, value in answer.items():
            response.headers[name] = value
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer a `Problem` of a view, and a database that is gone; anything else stays with Django."""
        if _is_unavailable(exception):
            exception = Problem(HTTPStatus.SERVICE_UNAVAILABLE, UNAVAILABLE, headers={"Retry-After": "1"})
        return _answer(exception, request) if isinstance(exception, Problem) else None


class CommonMiddleware(common.CommonMiddleware):
    """Django's own, except that a probe may call the health paths by IP address."""

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        if request.path_info.startswith("/health/"):
            return None
        return super().process_request(request)


def _believe_proxies(request: HttpRequest) -> None:
    """Take the client's address from the end of X-Forwarded-For, where each of our proxies adds one."""
    hops: int = settings.PROXY_HOPS
    addresses = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    if 0 < hops <= len(addresses):
        with suppress(ValueError):
            request.META["REMOTE_ADDR"] = str(ip_address(addresses[-hops].strip()))


def _answer(problem: Problem, request: HttpRequest) -> HttpResponse:
    document = problem_document(problem.status, problem.detail, instance=request.path, errors=problem.errors)
    return problem_response(document, problem.headers)


def _check_body(request: HttpRequest) -> None:
    """Read the body at once: one that a view leaves unread costs the client its connection.

    Raises:
        Problem: 503 if it was not waited for, 413 if it is over the limit, 400 if not all of it came.
    """
    if BODY_REFUSED in request.META:
        busy = "Too many bodies are on their way; try again in a moment."
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, busy, headers={"Retry-After": "1"})
    announced = int(request.META.get("CONTENT_LENGTH") or 0)
    if announced > MAX_BODY_BYTES or len(request.body) > MAX_BODY_BYTES:
        raise Problem(413, f"A body may have at most {MAX_BODY_BYTES} bytes.")
    if len(request.body) < announced:
        raise Problem(HTTPStatus.BAD_REQUEST, "The body is shorter than its Content-Length.")


def _is_unavailable(error: Exception) -> bool:
    """Whether the database is gone or too busy; anything else that it says is a mistake of ours."""
    from_sqlite: str | None = getattr(error.__cause__, "sqlite_errorname", None)
    return isinstance(error, OperationalError) and (
        from_sqlite is None or from_sqlite.startswith(SQLITE_UNAVAILABLE)
    )


def _is_error_page(response: HttpResponse) -> bool:
    is_text = response.headers["Content-Type"].startswith("text/")
    return is_text and response.status_code >= HTTPStatus.BAD_REQUEST
