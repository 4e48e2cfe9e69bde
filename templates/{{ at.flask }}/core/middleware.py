"""Middleware: proxies, CORS, hosts, the commit, response headers and the request log."""

import re
from contextlib import suppress
from http import HTTPStatus
from io import BytesIO
from threading import Semaphore
from time import perf_counter
from typing import IO, Any

from apiflask import APIFlask
from flask import Request as FlaskRequest
from flask import Response, current_app, g, request
from flask_cors import CORS
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.utils import cached_property

from ..extensions import db
from .logs import log_request
from .problems import Problem
from .request_id import REQUEST_ID_HEADER, begin_request, current_request_id
from .security_headers import HSTS, SECURITY_HEADERS
from .settings import Settings


class Request(FlaskRequest):
    """A request whose body is never truncated in silence, which Werkzeug does where the server ends it."""

    @cached_property
    def stream(self) -> IO[bytes]:
        """The body; one shorter than its Content-Length is a 400, one over `max_content_length` a 413."""
        limit = self.max_content_length
        if self.content_length is not None or limit is None:
            self.environ.pop("wsgi.input_terminated", None)
            return super().stream
        body = bytearray()
        while chunk := self.environ["wsgi.input"].read(limit + 1 - len(body)):
            body += chunk
        if len(body) > limit:
            raise RequestEntityTooLarge
        return BytesIO(body)

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:  # noqa: ANN401
        """Parse the body as JSON. APIFlask forces that on any Content-Type, which is a 415 here."""
        parsed = super().get_json(silent=silent, cache=cache)
        # APIFlask takes null for an empty object, so it gets another value that is none.
        return False if parsed is None and not silent else parsed


def init_app(app: APIFlask) -> None:
    """Install what happens before and after every view."""
    settings: Settings = app.config["SETTINGS"]
    app.request_class = Request
    if settings.root_path:
        # The proxy strips the prefix; `url_for` adds it.
        inner = app.wsgi_app
        below: Any = lambda environ, start: inner({**environ, "SCRIPT_NAME": settings.root_path}, start)  # noqa: E731
        app.wsgi_app = below  # type: ignore[method-assign]
    if hops := settings.proxy_hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    # Half of the threads may wait for the rest of a body, so that slow clients do not hold all.
    app.extensions["draining"] = Semaphore(settings.threads // 2)
    app.before_request(before_request)
    app.after_request(after_request)
    if settings.cors_origins:
        CORS(app, origins=list(settings.cors_origins), expose_headers=[REQUEST_ID_HEADER], max_age=600)


def before_request() -> None:
    """Start the request log, and reject hosts that are not in ALLOWED_HOSTS, except by health checks."""
    g.began = perf_counter()
    begin_request(request.headers.get(REQUEST_ID_HEADER))
    settings: Settings = current_app.config["SETTINGS"]
    if not request.path.startswith("/health/") and not is_served(request.host, settings.allowed_hosts):
        raise Problem(HTTPStatus.BAD_REQUEST, "The Host header names a host that is not served here.")


def after_request(response: Response) -> Response:
    """Commit unless the response is an error, then add the headers and log the request."""
    if response.status_code < HTTPStatus.BAD_REQUEST:
        db.session.commit()
    settings: Settings = current_app.config["SETTINGS"]
    response.headers[REQUEST_ID_HEADER] = current_request_id()
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    if settings.production:
        response.headers.setdefault(*HSTS)
    seconds = perf_counter() - g.began
    log_request(method=request.method, path=request.path, status=response.status_code, seconds=seconds)
    draining: Semaphore = current_app.extensions["draining"]
    if 0 < (request.content_length or 0) <= settings.max_body_bytes and draining.acquire(blocking=False):
        with suppress(HTTPException):
            # Read what the view has not: granian closes a connection with a body left, and proxies reuse it.
            request.stream.read()
        draining.release()
    return response


def is_served(host: str, allowed_hosts: tuple[str, ...]) -> bool:
    """Return whether a host is allowed by its name, a `.suffix` or `*`, whatever its port and final dot."""
    name = re.sub(r"\.?(:\d+)?$", "", host).lower()
    return bool(name) and any(
        allowed.lower() in {name, "*"} or (allowed.startswith(".") and f".{name}".endswith(allowed.lower()))
        for allowed in allowed_hosts
    )
