"""ASGI middleware, in the order in which a request passes through it."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from time import perf_counter

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .errors import problem_response
from .logs import log_request
from .problems import Problem
from .request_id import REQUEST_ID_HEADER, begin_request
from .security_headers import HSTS, SECURITY_HEADERS

INTERNAL_ERROR = "An internal error occurred; the request id finds it in the logs."
DISCONNECTED = "The client disconnected before the request was complete."
TOO_LARGE = Problem(413, "The body is larger than this operation accepts.", headers={"Connection": "close"})
# A name or an IPv6 address, perhaps with a dot at its end, and perhaps a port.
HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[\w.-]*[\w-])\.?(:[1-9][0-9]{0,4})?", re.ASCII)
RESPONSE_STARTS = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class ProxyMiddleware:
    """Take client, scheme and host from the headers that the `hops` reverse proxies in front append."""

    def __init__(self, app: ASGIApp, *, hops: int) -> None:
        self.app = app
        self.hops = hops

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.hops and scope["type"] != "lifespan":
            headers = MutableHeaders(scope=scope)
            if client := self._value(headers, "X-Forwarded-For"):
                scope["client"] = (client, 0)
            if (scheme := self._value(headers, "X-Forwarded-Proto")) in {"http", "https"}:
                scope["scheme"] = scheme if scope["type"] == "http" else scheme.replace("http", "ws")
            if host := self._value(headers, "X-Forwarded-Host"):
                headers["Host"] = host
        await self.app(scope, receive, send)

    def _value(self, headers: Headers, name: str) -> str:
        # Count from the right: a client may send the header too, and its values come first.
        values = ",".join(headers.getlist(name)).split(",")
        return values[-self.hops].strip() if len(values) >= self.hops else ""


class RequestMiddleware:
    """Add the request id and the security headers to every response, and log every request."""

    def __init__(self, app: ASGIApp, *, production: bool) -> None:
        self.app = app
        self.headers = [*SECURITY_HEADERS.items(), *([HSTS] if production else [])]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        request_id = begin_request(Headers(scope=scope).get(REQUEST_ID_HEADER))
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] in RESPONSE_STARTS:
                status = message.get("status", HTTPStatus.SWITCHING_PROTOCOLS)
                headers = MutableHeaders(raw=list(message.get("headers", ())))
                for name, value in self.headers:
                    # A route may set a header of its own.
                    headers.setdefault(name, value)
                headers[REQUEST_ID_HEADER] = request_id
                message["headers"] = headers.raw
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        finally:
            method, seconds = scope.get("method", "WEBSOCKET"), perf_counter() - started
            log_request(method=method, path=scope["path"], status=status, seconds=seconds)


class ErrorMiddleware:
    """Answer an unhandled exception with a 500 that reveals nothing about it.

    FastAPI's handler for `Exception` is outside of all middleware: no request id and no CORS headers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = too_large = False

        async def send_and_note(message: Message) -> None:
            nonlocal started, too_large
            if message["type"] == "http.response.start" and message["status"] == TOO_LARGE.status:
                # Starlette's body limit answers in plain text.
                media_type = Headers(raw=message["headers"]).get("Content-Type", "")
                too_large = media_type.startswith("text/plain")
                if too_large:
                    await problem_response(TOO_LARGE, scope)(scope, receive, send)
            started = True
            if not too_large:
                await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        except Exception as error:
            if started or scope["type"] == "lifespan":
                raise
            if isinstance(error, ClientDisconnect):
                error = Problem(400, DISCONNECTED)
            elif not isinstance(error, Problem):
                logger.exception("unhandled_error")
                error = Problem(500, INTERNAL_ERROR)
            await problem_response(error, scope)(scope, receive, send)


class HostMiddleware:
    """Refuse requests for other hosts, except on the health paths, which probes call by IP address.

    Names in `allowed_hosts` have no port; `.example.com` includes subdomains, `*` is any host.
    """

    def __init__(self, app: ASGIApp, *, allowed_hosts: Sequence[str]) -> None:
        self.app = app
        self.allowed_hosts = [host.lower() for host in allowed_hosts]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            hosts = Headers(scope=scope).getlist("Host")
            if len(hosts) > 1:
                # A proxy may have routed by the other one.
                raise Problem(400, "The request has several Host headers.")
            if not scope["path"].startswith("/health/") and not self._is_allowed("".join(hosts)):
                raise Problem(400, "This host is not served here.")
        await self.app(scope, receive, send)

    def _is_allowed(self, header: str) -> bool:
        valid = HOST.fullmatch(header)
        host = valid[1].lower() if valid else ""
        return bool(host) and any(
            allowed in {host, "*"} or (allowed.startswith(".") and f".{host}".endswith(allowed))
            for allowed in self.allowed_hosts
        )


class RouteMiddleware:
    """Answer HEAD with the route for GET, and put ROOT_PATH, which the proxy strips, before the path.

    FastAPI does neither: HTTP requires the first, ASGI the second.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_head(message: Message) -> None:
            # The empty body ends the response, of a stream too.
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body"})

        root_path = scope.get("root_path", "")
        if root_path and scope["type"] != "lifespan" and not scope["path"].startswith(f"{root_path}/"):
            scope = {**scope, "path": root_path + scope["path"]}
        if scope["type"] == "http" and scope["method"] == "HEAD":
            await self.app({**scope, "method": "GET"}, receive, send_head)
        else:
            await self.app(scope, receive, send)
