"""What every request passes through, from the outside in. Pure ASGI: each costs next to nothing."""

import re
from asyncio import get_running_loop, timeout_at
from collections.abc import Sequence
from functools import lru_cache
from http import HTTPStatus
from time import perf_counter

import structlog
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .errors import problem_response
from .logs import log_request
from .problems import Problem
from .request_id import MAX_BODY_BYTES, REQUEST_ID_HEADER, begin_request
from .security_headers import HSTS, SECURITY_HEADERS

CRASHED = "Something went wrong on our side; the request id finds it in the logs."
LEFT = "The client left before its request was complete."
BODY_SECONDS = 60
REQUEST_ID_NAME = REQUEST_ID_HEADER.lower().encode()
TOO_LARGE = f"The body may have at most {MAX_BODY_BYTES} bytes."
TOO_SLOW = f"The body must arrive within {BODY_SECONDS} seconds."
# Or the rest of the body would still be awaited.
CLOSE = {"Connection": "close"}
ANSWERS = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})
HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[^:]+)(:\d+)?", re.IGNORECASE)

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def header(scope: Scope, name: bytes) -> str | None:
    """The first header with this name, which is in lower case. `Headers` takes several times as long."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value, "latin-1")
    return None


class RequestMiddleware:
    """Gives the request an id, the response its common headers, and the log one line about both.

    To it and those below, the opening of a WebSocket is a request like any other.
    """

    def __init__(self, app: ASGIApp, *, production: bool) -> None:
        self.app = app
        headers = [*SECURITY_HEADERS.items(), *([HSTS] if production else [])]
        self.headers = [(name.lower().encode(), value.encode()) for name, value in headers]
        self.names = frozenset(name for name, _ in self.headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        request_id = begin_request(header(scope, REQUEST_ID_NAME))
        status = 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] in ANSWERS:
                status = message.get("status", HTTPStatus.SWITCHING_PROTOCOLS)
                # A route may have a policy of its own; and its list is another answer's too, if it kept that.
                given = message.get("headers", ())
                own = self.names.intersection(name for name, _ in given)
                common = [each for each in self.headers if each[0] not in own] if own else self.headers
                message["headers"] = [*given, *common, (REQUEST_ID_NAME, request_id.encode())]
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        finally:
            log_request(
                method=scope.get("method", "WEBSOCKET"),
                path=scope["path"],
                status=status,
                seconds=perf_counter() - started,
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
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        response_started = False

        async def send_and_note(message: Message) -> None:
            nonlocal response_started
            response_started = True
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        except ClientDisconnect:
            # Nobody hears it, but the log does.
            if not response_started:
                await problem_response(Problem(400, LEFT), scope)(scope, receive, send)
        except Exception as error:
            if response_started:
                raise
            problem = error if isinstance(error, Problem) else Problem(500, CRASHED)
            if problem is not error:
                logger.exception("unhandled_error")
            await problem_response(problem, scope)(scope, receive, send)


class HostMiddleware:
    """Refuses requests for hosts that are not ours, except on the health paths: probes call by address.

    Two hosts are refused everywhere: a proxy in front may have gone by the other one (RFC 9112, 3.2).

    Args:
        app: what it guards.
        allowed_hosts: names without a port; `.example.com` stands for it and all below it, `*` for any.
    """

    def __init__(self, app: ASGIApp, *, allowed_hosts: Sequence[str]) -> None:
        self.app = app
        self.allowed_hosts = tuple(host.lower() for host in allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            hosts = [str(value, "latin-1") for name, value in scope["headers"] if name == b"host"]
            if len(hosts) > 1:
                raise Problem(400, "A request is for one host; this one names several.")
            if not scope["path"].startswith("/health/") and not is_served("".join(hosts), self.allowed_hosts):
                raise Problem(400, "This host is not served here.")
        await self.app(scope, receive, send)


@lru_cache
def is_served(address: str, allowed_hosts: tuple[str, ...]) -> bool:
    """Whether the value of a `Host` header names one of the allowed hosts."""
    match = HOST.fullmatch(address)
    host = match["name"].lower() if match else ""
    return bool(host) and any(
        allowed in {host, "*"} or (allowed.startswith(".") and f".{host}".endswith(allowed))
        for allowed in allowed_hosts
    )


class BodyLimitMiddleware:
    """Refuses a body that is over the limit, as declared or as it arrives, and one that takes too long."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if int(header(scope, b"content-length") or 0) > MAX_BODY_BYTES:
            raise Problem(413, TOO_LARGE, headers=CLOSE)
        received = 0
        deadline: float | None = get_running_loop().time() + BODY_SECONDS

        async def receive_limited() -> Message:
            nonlocal received, deadline
            # FastAPI lets an HTTPException through while it reads a body, and no other.
            try:
                async with timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, TOO_SLOW, headers=CLOSE) from None
            if not message.get("more_body", False):
                # What may come now is that the client has left, for which a stream waits as long as it takes.
                deadline = None
            received += len(message.get("body", b""))
            if received > MAX_BODY_BYTES:
                raise HTTPException(413, TOO_LARGE, headers=CLOSE)
            return message

        await self.app(scope, receive_limited, send)


class HeadMiddleware:
    """Serves HEAD with the route for GET; the server leaves the body out."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            # With its head it is over, also where the body would go on: the route hears that the client left.
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body"})

        await self.app({**scope, "method": "GET"}, receive, send_head)
