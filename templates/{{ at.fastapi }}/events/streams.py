"""Server-Sent Events and WebSockets: send the events of an organization to a client."""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

import structlog
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import HTTPConnection
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from ..accounts.public import Actor, NotSignedInError, authenticate_reader, bearer_token
from ..core.errors import ApiError
from ..core.openapi import COMPONENTS, SCHEMAS, problem_reference
from . import queries
from .contracts import Event
from .errors import ForeignOriginError, UnknownEventError
from .hub import Hub

# A client that reads nothing for this long is disconnected.
SEND_TIMEOUT = 20.0
# How often the token of an open stream is checked.
CHECK_SECONDS = 30.0
# Random, so that the clients of a restarted server do not reconnect all at once.
RETRY_MILLISECONDS = (1000, 5000)

# Close codes of RFC 6455 and its registry.
POLICY_VIOLATION, SERVICE_RESTART, TRY_AGAIN_LATER = 1008, 1012, 1013
SUBPROTOCOL = "bearer"
UNREADABLE = (UnknownEventError, SQLAlchemyError, OSError)

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class EventStream(StreamingResponse):
    """A response of Server-Sent Events. FastAPI's own would wait forever for a client that does not read."""

    media_type = "text/event-stream"

    def __init__(self, frames: AsyncGenerator[bytes], status_code: int = 200) -> None:
        # The second header turns off nginx's buffering.
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(frames, status_code, headers)
        self.frames = frames

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except TimeoutError:
            logger.info("client_too_slow")

    async def stream_response(self, send: Send) -> None:
        async def send_with_timeout(message: Message) -> None:
            async with asyncio.timeout(SEND_TIMEOUT):
                await send(message)

        async with aclosing(self.frames):
            await super().stream_response(send_with_timeout)


def message(name: str, *data: type[BaseModel] | type[ApiError], events: Sequence[str]) -> dict[str, Any]:
    """Add a kind of event to the components of the OpenAPI document, and return the reference to it.

    Args:
        name: the name of the component.
        data: models, or errors, whose JSON is in `data`.
        events: values of `event`.
    """
    schemas = []
    for kind in data:
        if issubclass(kind, ApiError):
            schemas.append(problem_reference(kind))
            continue
        schema = kind.model_json_schema(mode="serialization", ref_template=f"{SCHEMAS}/{{model}}")
        COMPONENTS.update({**schema.pop("$defs", {}), kind.__name__: schema})
        schemas.append({"$ref": f"{SCHEMAS}/{kind.__name__}"})
    content = schemas[0] if len(schemas) == 1 else {"oneOf": schemas}
    COMPONENTS[name] = {
        "title": name,
        "type": "object",
        "required": ["event", "data"],
        "properties": {
            "id": {"type": "string"},
            "event": {"type": "string", "enum": list(events)},
            "data": {"type": "string", "contentMediaType": "application/json", "contentSchema": content},
        },
    }
    return {"$ref": f"{SCHEMAS}/{name}"}


def stream_of(*messages: dict[str, Any], description: str) -> dict[str, Any]:
    """Return the OpenAPI response of a stream of these messages."""
    schema = {"type": "object", "oneOf": list(messages)}
    return {"description": description, "content": {EventStream.media_type: {"schema": schema}}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """The events of one kind of an organization, for one of its members.

    Args:
        connection: the request or WebSocket.
        token: its access token, which is checked again from time to time.
        actor: the member that the token stands for.
        kind: the prefix of their types.
        position: the event before the first to send.
    """

    connection: HTTPConnection
    token: str
    actor: Actor
    kind: str
    position: int

    @classmethod
    async def open(
        cls,
        connection: HTTPConnection,
        *,
        token: str,
        actor: Actor,
        kind: str,
        last_event_id: str | None,
    ) -> Self:
        """Open a feed after the event that the client received last; without one, after the newest.

        Raises:
            UnknownEventError: the event is not kept, or never was.
        """
        known = None if last_event_id is None else int(last_event_id)
        async with connection.state.read_sessions() as session:
            position = await queries.get_position(session, actor.organization_id, known)
        return cls(connection=connection, token=token, actor=actor, kind=kind, position=position)

    async def batches(self) -> AsyncGenerator[Sequence[Event]]:
        """Yield events as they are published, sometimes none, until the process shuts down.

        Raises:
            ApiError: the token has ended, or the client is too slow.
        """
        hub: Hub = self.connection.state.hub
        check_at = time.monotonic() + CHECK_SECONDS
        async with aclosing(hub.follow(self.actor.organization_id, self.position)) as batches:
            async for batch in batches:
                if time.monotonic() >= check_at:
                    await self._check()
                    check_at = time.monotonic() + CHECK_SECONDS
                yield [event for event in batch if event.type.startswith(self.kind)]

    async def frames(self) -> AsyncGenerator[bytes]:
        """Yield Server-Sent Events. A client that reconnects afterwards gets the error, if there was one."""
        retry = random.randint(*RETRY_MILLISECONDS)  # noqa: S311 (no secret)
        # An id at once: a client that reconnects before the first event misses none.
        yield format_sse_event(id=str(self.position), retry=retry)
        try:
            async with aclosing(self.batches()) as batches:
                async for batch in batches:
                    yield b"".join(map(_frame, batch)) or KEEPALIVE_COMMENT
        except (ApiError, SQLAlchemyError, OSError) as error:
            logger.info("feed_ended", reason=type(error).__name__)

    async def send_to(self, websocket: WebSocket) -> None:
        """Send the events to a WebSocket, and close it with a code that says why."""
        code, reason = SERVICE_RESTART, "The server restarts."
        try:
            async with aclosing(self.batches()) as batches:
                async for batch in batches:
                    for event in batch:
                        async with asyncio.timeout(SEND_TIMEOUT):
                            await websocket.send_text(event.message)
        except TimeoutError:
            raise
        except UNREADABLE:
            code, reason = TRY_AGAIN_LATER, "The next events cannot be read."
        except ApiError as error:
            code, reason = POLICY_VIOLATION, error.detail
        async with asyncio.timeout(SEND_TIMEOUT):
            await websocket.close(code, reason)

    async def _check(self) -> None:
        try:
            await authenticate_reader(self.connection, self.token)
        except (SQLAlchemyError, OSError) as error:
            # The token was valid, and without a database there are no events either.
            logger.warning("feed_not_checked", error=type(error).__name__)


async def socket_token(websocket: WebSocket) -> tuple[str, str | None]:
    """Return the access token of a WebSocket, and the subprotocol to accept.

    The token is in the `Authorization` header or, since browsers cannot set it, in
    `new WebSocket(url, ["bearer", token])`.

    Raises:
        ForeignOriginError: the page's origin is not in CORS_ORIGINS.
        NotSignedInError: there is no token.
    """
    origin = websocket.headers.get("Origin")
    same_origin = origin is not None and urlsplit(origin).netloc == websocket.headers.get("Host")
    if origin is not None and not same_origin and origin not in websocket.state.settings.cors_origins:
        raise ForeignOriginError
    match websocket.scope["subprotocols"]:
        case [str(name), str(token)] if name == SUBPROTOCOL:
            return token, SUBPROTOCOL
        case []:
            return await bearer_token(websocket), None
        case _:
            raise NotSignedInError


async def serve(websocket: WebSocket, feed: Feed, *, subprotocol: str | None) -> None:
    """Accept a WebSocket and send it the feed, until either side closes it."""
    await websocket.accept(subprotocol)
    sending = asyncio.create_task(feed.send_to(websocket))
    receiving = asyncio.create_task(_wait_for_disconnect(websocket))
    try:
        await asyncio.wait((sending, receiving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sending, receiving):
            task.cancel()
        await asyncio.wait((sending, receiving))
    if not sending.cancelled() and (error := sending.exception()) is not None:
        if not isinstance(error, TimeoutError | WebSocketDisconnect):
            raise error
        logger.info("client_too_slow" if isinstance(error, TimeoutError) else "client_disconnected")


async def _wait_for_disconnect(websocket: WebSocket) -> None:
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


def _frame(event: Event) -> bytes:
    return format_sse_event(id=str(event.id), event=event.type, data_str=event.message)
