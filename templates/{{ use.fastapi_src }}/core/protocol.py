"""Uvicorn's side of a connection, without patience for clients that do not send their request or do not read.

It waits as long as it takes for the head of a request, and reads as much of it as comes. A connection that it
closes stays open until the client has read what is left. What Uvicorn would answer by itself, or Starlette
for a file, is a problem document as everything else.
"""

import json
import socket
import sys
from asyncio import TimerHandle, Transport
from contextvars import copy_context
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.staticfiles import StaticFiles
from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .logs import log_request
from .problems import PROBLEM_JSON, Problem, problem_document
from .request_id import MAX_BODY_BYTES, REQUEST_ID_HEADER, begin_request
from .security_headers import SECURITY_HEADERS

HEAD_SECONDS = 15
MAX_HEAD_BYTES = 64 * 1024
# A client that takes nothing of what was sent to it, or is no longer there, is cut off after this long.
UNREAD_SECONDS = 30
MALFORMED = "This is not a request that HTTP knows."


class HttpProtocol(HttpToolsProtocol):
    """Ends a connection whose next head is too slow or too large; the body is the application's matter.

    Once that has answered, what is left of the body counts as part of the wait for the next head.
    """

    _head_timer: TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._begin_head()
        if sys.platform == "linux":
            option = (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_SECONDS * 1000)
            transport.get_extra_info("socket").setsockopt(*option)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        # The first one may have been awaited since the connection was made.
        if self._head_timer is None:
            self._begin_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._head_timer is not None:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Answer what no application will see, with a problem document and a log line as they would."""
        # The context is not a request's own, as it would be in a task.
        copy_context().run(self._send_problem)

    def _send_problem(self) -> None:
        request_id = begin_request(None)
        # Which path was asked for is not known for certain.
        document = problem_document(400, MALFORMED, instance="")
        body = json.dumps(document).encode()
        headers = {
            **SECURITY_HEADERS,
            REQUEST_ID_HEADER: request_id,
            "Content-Type": PROBLEM_JSON,
            "Content-Length": str(len(body)),
            "Connection": "close",
        }
        lines = [
            *self.server_state.default_headers,
            *((name.lower().encode(), value.encode()) for name, value in headers.items()),
        ]
        head = b"".join(b"%s: %s\r\n" % line for line in lines)
        self.transport.write(b"HTTP/1.1 400 Bad Request\r\n%s\r\n%s" % (head, body))
        self.transport.close()
        log_request(method=None, path="", status=document["status"], seconds=0)

    def on_headers_complete(self) -> None:
        self._end_head()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        # Its first byte ends uvicorn's own patience, and cutting it off could cost the client the answer.
        if self.cycle.response_complete and self.cycle.more_body:
            self._begin_head(before=MAX_BODY_BYTES)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_head()
        super().connection_lost(exc)

    def _begin_head(self, *, before: int = 0) -> None:
        self._head_bytes = -before
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _end_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


class Assets(StaticFiles):
    """Serves the files, and refuses as everything else does a `Range` that they do not have."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_or_refuse(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= HTTPStatus.BAD_REQUEST:
                # It has no other answer of its own that is an error: those, it raises.
                size = Headers(raw=message["headers"]).get("content-range")
                headers = {"Content-Range": size} if size else None
                raise Problem(message["status"], "The file has no such range.", headers=headers)
            await send(message)

        await super().__call__(scope, receive, send_or_refuse)
