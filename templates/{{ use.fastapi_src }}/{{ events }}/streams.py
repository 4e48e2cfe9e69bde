"""Server-Sent Events and WebSockets: how what happens in here gets to a client, and what ends that."""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker
from starlette.requests import HTTPConnection
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from ..accounts.public import Actor, NotSignedInError, bearer_token, reader_with
from ..core.database import transaction
from ..core.errors import ApiError
from . import queries
from .contracts import Event
from .errors import ForeignOriginError, UnknownEventError
from .hub import Hub

# A client that takes nothing for this long is given up.
SEND_SECONDS = 20.0
# How often it is looked at whether the token is still good.
CHECK_SECONDS = 30.0
# How long a client waits before it connects again: not all of them as long, or they would come back as one.
RETRY_MILLISECONDS = (1000, 5000)

# Close codes of RFC 6455 and its registry.
POLICY_VIOLATION, SERVICE_RESTART, TRY_AGAIN_LATER = 1008, 1012, 1013
SUBPROTOCOL = "bearer"
UNREADABLE = (UnknownEventError, SQLAlchemyError, OSError)

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class EventStream(StreamingResponse):
    """An answer of Server-Sent Events. FastAPI's own would wait forever for a client that does not read."""

    media_type = "text/event-stream"

    def __init__(self, frames: AsyncGenerator[bytes], status_code: int = 200) -> None:
        # The second tells nginx not to wait for more.
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(frames, status_code, headers)
        self.frames = frames

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except TimeoutError:
            logger.info("client_too_slow")

    async def stream_response(self, send: Send) -> None:
        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(SEND_SECONDS):
                await send(message)

        async with aclosing(self.frames):
            await super().stream_response(send_in_time)


def describe(*events: tuple[Sequence[str], Mapping[str, Any]], description: str) -> dict[str, Any]:
    """What the contract says of a stream: one schema, which each of its events has.

    Args:
        events: names of events, with the JSON Schema of what is in their `data`.
        description: what comes when, and what ends it.
    """
    kinds = [
        {
            "type": "object",
            "required": ["event", "data"],
            "properties": {
                "id": {"type": "string"},
                "event": {"type": "string", "enum": list(names)},
                "data": {"type": "string", "contentMediaType": "application/json", "contentSchema": schema},
            },
        }
        for names, schema in events
    ]
    schema = kinds[0] if len(kinds) == 1 else {"type": "object", "oneOf": kinds}
    return {"description": description, "content": {EventStream.media_type: {"schema": schema}}}


@dataclass(frozen=True, slots=True)
class Feed:
    """An organization's events of one kind, for as long as one of its members may read them."""

    hub: Hub
    sessions: async_sessionmaker[AsyncSession]
    organization_id: UUID
    position: int
    kind: str
    check: Callable[[AsyncSession], Awaitable[Actor]]

    @classmethod
    async def open(  # noqa: PLR0913 (one argument per value)
        cls,
        connection: HTTPConnection,
        session: AsyncSession,
        *,
        token: str,
        last_event_id: str | None,
        kind: str,
        permit: Callable[[Actor], None],
        actor: Actor | None = None,
    ) -> Self:
        """A feed that begins after the event that the client got last, or now.

        Args:
            connection: the request or WebSocket for which it is.
            session: reads what there is to know now; the feed does not keep it.
            token: the access token that came with it.
            last_event_id: digits, if it got any.
            kind: how the types of the events begin.
            permit: raises where the member may not read them.
            actor: whose token it is, where that is known already.

        Raises:
            ApiError: whoever holds the token may not read it, or there is no such event.
        """
        state = connection.state

        async def check(session: AsyncSession) -> Actor:
            actor = await reader_with(token, session, state.settings)
            permit(actor)
            return actor

        if actor is None:
            actor = await check(session)
        else:
            permit(actor)
        known = None if last_event_id is None else int(last_event_id)
        position = await queries.position(session, actor.organization_id, known)
        return cls(state.hub, state.sessions, actor.organization_id, position, kind, check)

    async def batches(self) -> AsyncGenerator[Sequence[Event]]:
        """The events as they come, now and then none, until the process shuts down.

        Raises:
            ApiError: the token is no longer good, or the client was too slow.
        """
        check_at = time.monotonic() + CHECK_SECONDS
        async with aclosing(self.hub.follow(self.organization_id, self.position)) as batches:
            async for batch in batches:
                if time.monotonic() >= check_at:
                    await self._check()
                    check_at = time.monotonic() + CHECK_SECONDS
                yield [event for event in batch if event.type.startswith(self.kind)]

    async def frames(self) -> AsyncGenerator[bytes]:
        """The same as Server-Sent Events. At its end a client connects again, and is told what ended it."""
        retry = random.randint(*RETRY_MILLISECONDS)  # noqa: S311 (no secret)
        # The id alone: a client that loses the connection before the first event misses none either.
        yield format_sse_event(id=str(self.position), retry=retry)
        try:
            async with aclosing(self.batches()) as batches:
                async for batch in batches:
                    yield b"".join(map(_frame, batch)) or KEEPALIVE_COMMENT
        except (ApiError, SQLAlchemyError, OSError) as error:
            logger.info("feed_ended", reason=type(error).__name__)

    async def send_to(self, websocket: WebSocket) -> None:
        """The same as messages of a WebSocket, which then is closed with a code that says why."""
        code, reason = SERVICE_RESTART, "The server restarts."
        try:
            async with aclosing(self.batches()) as batches:
                async for batch in batches:
                    for event in batch:
                        async with asyncio.timeout(SEND_SECONDS):
                            await websocket.send_text(event.message)
        except TimeoutError:
            raise
        except UNREADABLE:
            code, reason = TRY_AGAIN_LATER, "The events that come next cannot be read."
        except ApiError as error:
            code, reason = POLICY_VIOLATION, error.detail
        async with asyncio.timeout(SEND_SECONDS):
            await websocket.close(code, reason)

    async def _check(self) -> None:
        try:
            async with transaction(self.sessions, writes=False) as session:
                await self.check(session)
        except (SQLAlchemyError, OSError) as error:
            # The token itself was still good, and without a database there are no events either.
            logger.warning("feed_not_checked", error=type(error).__name__)


async def socket_token(websocket: WebSocket) -> tuple[str, str | None]:
    """The access token of a WebSocket, and the subprotocol to accept it with.

    It comes as in any request or, as a page cannot set headers, by `new WebSocket(url, ["bearer", token])`.

    Raises:
        ForeignOriginError: it was opened by a page whose origin is not in CORS_ORIGINS.
        NotSignedInError: there is no token.
    """
    origin = websocket.headers.get("Origin")
    own = origin is not None and urlsplit(origin).netloc == websocket.headers.get("Host")
    if origin is not None and not own and origin not in websocket.state.settings.cors_origins:
        raise ForeignOriginError
    match websocket.scope["subprotocols"]:
        case [str(name), str(token)] if name == SUBPROTOCOL:
            return token, SUBPROTOCOL
        case []:
            return await bearer_token(websocket), None
        case _:
            raise NotSignedInError


async def serve(websocket: WebSocket, feed: Feed, *, subprotocol: str | None) -> None:
    """Accept a WebSocket and send it what is in the feed, until one of the two sides has enough."""
    await websocket.accept(subprotocol)
    sending = asyncio.create_task(feed.send_to(websocket))
    receiving = asyncio.create_task(_ignore(websocket))
    try:
        await asyncio.wait((sending, receiving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sending, receiving):
            task.cancel()
        await asyncio.wait((sending, receiving))
    if not sending.cancelled() and (error := sending.exception()) is not None:
        if not isinstance(error, TimeoutError | WebSocketDisconnect):
            raise error
        logger.info("client_too_slow" if isinstance(error, TimeoutError) else "client_left")


async def _ignore(websocket: WebSocket) -> None:
    """Return when the client is gone. What it says is not listened to."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


def _frame(event: Event) -> bytes:
    return format_sse_event(id=str(event.id), event=event.type, data_str=event.message)
