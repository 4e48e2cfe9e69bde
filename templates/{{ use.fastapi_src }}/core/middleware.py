"""What every request passes through, from the outside in. Pure ASGI: each costs next to nothing."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from time import perf_counter

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .errors import problem_response
from .problems import Problem
from .requests import HSTS, MAX_BODY_BYTES, REQUEST_ID_HEADER, SECURITY_HEADERS, begin_request

CRASHED = "Something went wrong on our side; the request id finds it in the logs."
TOO_LARGE = f"The body may have at most {MAX_BODY_BYTES} bytes."
HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[^:]+)(:\d+)?", re.IGNORECASE)

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class RequestMiddleware:
    """Gives the request an id, the response its common headers, and the log one line about both."""

    def __init__(self, app: ASGIApp, *, production: bool) -> None:
        self.app = app
        self.headers = dict([*SECURITY_HEADERS.items(), *([HSTS] if production else [])])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        request_id = begin_request(Headers(scope=scope).get(REQUEST_ID_HEADER))
        status = 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
                headers[REQUEST_ID_HEADER] = request_id
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        finally:
            logger.info(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                duration_ms=round((perf_counter() - started) * 1000, 1),
            )


class CrossOriginMiddleware(CORSMiddleware):
    """Lets pages of the allowed origins call the API with any method and header, but without cookies."""

    def __init__(self, app: ASGIApp, *, allow_origins: Sequence[str]) -> None:
        super().__init__(
            app,
            allow_origins=allow_origins,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=[REQUEST_ID_HEADER],
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """The answer to a preflight. A refusal is no error: it is an answer that permits nothing."""
        response = super().preflight_response(request_headers)
        if response.status_code == HTTPStatus.OK:
            return response
        return Response(status_code=HTTPStatus.NO_CONTENT, headers={"Vary": response.headers["Vary"]})


class ErrorMiddleware:
    """Answers a `Problem` of the middleware below, and any crash with a 500 that tells nothing about it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        response_started = False

        async def send_and_note(message: Message) -> None:
            nonlocal response_started
            response_started = True
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        except Exception as error:
            if response_started:
                raise
            problem = error if isinstance(error, Problem) else Problem(500, CRASHED)
            if problem is not error:
                logger.exception("unhandled_error")
            await problem_response(problem, scope)(scope, receive, send)


class HostMiddleware:
    """Refuses requests for hosts that are not ours, except on the health paths: probes call by address.

    Args:
        app: what it guards.
        allowed_hosts: names without a port; `.example.com` stands for it and all below it, `*` for any.
    """

    def __init__(self, app: ASGIApp, *, allowed_hosts: Sequence[str]) -> None:
        self.app = app
        self.allowed_hosts = [host.lower() for host in allowed_hosts]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] == "http"
            and not scope["path"].startswith("/health/")
            and not self.allows(Headers(scope=scope).get("host", ""))
        ):
            raise Problem(400, "This host is not served here.")
        await self.app(scope, receive, send)

    def allows(self, header: str) -> bool:
        """Whether the `Host` header names a host that is served."""
        match = HOST.fullmatch(header)
        host = match["name"].lower() if match else ""
        return bool(host) and any(
            allowed in {host, "*"} or (allowed.startswith(".") and f".{host}".endswith(allowed))
            for allowed in self.allowed_hosts
        )


class BodyLimitMiddleware:
    """Refuses a body over the limit, by its declared length or, where none is declared, as it arrives."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if int(Headers(scope=scope).get("content-length", 0)) > MAX_BODY_BYTES:
            raise Problem(413, TOO_LARGE)
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MAX_BODY_BYTES:
                # The one exception that FastAPI lets through while it reads a body.
                raise HTTPException(413, TOO_LARGE)
            return message

        await self.app(scope, receive_limited, send)


class HeadMiddleware:
    """Serves HEAD with the route for GET; the server leaves the body out."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        await self.app(scope, receive, send)
