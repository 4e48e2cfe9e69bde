"""Summaries, streamed while a model writes them: not too many at once, and none for too long."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

import structlog
from fastapi.sse import format_sse_event
from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

from ..core.errors import ApiError, document_of
from .errors import BUSY_SECONDS, ProviderFailedError, ProviderTooSlowError, TooBusyError
from .providers import Provider
from .schemas import Done, Token
from .streams import EventStream

# In each process. Others wait this long for their turn.
AT_ONCE = 8
WAIT_SECONDS = BUSY_SECONDS
# For all of a summary, and for what is left of it when the process shuts down.
TOTAL_SECONDS = 60.0
SHUTDOWN_SECONDS = 4.0

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Summarizer:
    """Has a provider write summaries."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._end: float | None = None
        self._waiting: set[asyncio.Timeout] = set()

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Inside, the caller is one of the few who may have a summary written.

        Raises:
            TooBusyError: others were, for all the time that was waited.
        """
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._slots.acquire()
        except TimeoutError:
            raise TooBusyError from None
        try:
            yield
        finally:
            self._slots.release()

    async def frames(self, text: str, path: str) -> AsyncGenerator[bytes]:
        """The summary of a text as Server-Sent Events: tokens, and what was used or what went wrong.

        Args:
            text: what is summarized.
            path: what was asked for, which a problem document names.
        """
        written = 0
        end = asyncio.get_running_loop().time() + TOTAL_SECONDS
        try:
            async with aclosing(self._provider.summarize(text)) as tokens:
                while (token := await self._next(tokens, end)) is not None:
                    written += 1
                    yield _frame("token", Token(text=token))
            done = Done(input_characters=len(text), output_tokens=written)
            yield _frame("done", done)
        except ApiError as error:
            yield format_sse_event(event="error", data_str=json.dumps(document_of(error, path)))

    def close(self) -> None:
        """Let those that are being written come to their end soon, because the process shuts down."""
        self._end = asyncio.get_running_loop().time() + SHUTDOWN_SECONDS
        for timeout in self._waiting:
            if not timeout.expired():
                timeout.reschedule(min(timeout.when() or self._end, self._end))

    async def _next(self, tokens: AsyncGenerator[str], end: float) -> str | None:
        """The next token, or none after the last.

        Raises:
            ProviderTooSlowError: it was not there in time.
            ProviderFailedError: the provider raised.
        """
        timeout = asyncio.timeout_at(end if self._end is None else min(end, self._end))
        try:
            async with timeout:
                self._waiting.add(timeout)
                return await anext(tokens, None)
        except TimeoutError:
            raise ProviderTooSlowError from None
        except Exception as error:
            logger.exception("provider_failed")
            raise ProviderFailedError from error
        finally:
            self._waiting.discard(timeout)


class Summary(EventStream):
    """The answer that is a summary, which is begun when there is a place for it."""

    def __init__(self, summarizer: Summarizer, text: str, path: str) -> None:
        super().__init__(summarizer.frames(text, path))
        self.slot = summarizer.slot

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Not before: until the route returns, the request has a connection to the database.
        async with self.slot():
            await super().__call__(scope, receive, send)


def _frame(event: str, data: BaseModel) -> bytes:
    return format_sse_event(event=event, data_str=data.model_dump_json())
