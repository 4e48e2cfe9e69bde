"""Summaries, streamed while a model writes them, with limits on concurrency and time."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

import structlog
from fastapi.sse import format_sse_event
from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

from ..core.errors import ApiError
from .errors import BUSY_SECONDS, ProviderFailedError, ProviderTooSlowError, TooBusyError
from .providers import Provider
from .schemas import SummaryDone, SummaryToken
from .streams import EventStream

# Per process; others wait for up to BUSY_SECONDS.
MAX_CONCURRENT = 8
# Time limit of a summary, and of running ones at shutdown.
TOTAL_SECONDS = 60.0
SHUTDOWN_SECONDS = 4.0

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Summarizer:
    """Streams the summaries of a provider."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._slots = asyncio.Semaphore(MAX_CONCURRENT)
        self._deadline: float | None = None
        self._timeouts: set[asyncio.Timeout] = set()

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Limit concurrency.

        Raises:
            TooBusyError: no slot became free in time.
        """
        try:
            async with asyncio.timeout(BUSY_SECONDS):
                await self._slots.acquire()
        except TimeoutError:
            raise TooBusyError from None
        try:
            yield
        finally:
            self._slots.release()

    async def frames(self, text: str, path: str) -> AsyncGenerator[bytes]:
        """Yield a summary as Server-Sent Events: tokens, then usage or an error.

        Args:
            text: the text to summarize.
            path: the path of the request, for the problem document.
        """
        written = 0
        deadline = asyncio.get_running_loop().time() + TOTAL_SECONDS
        try:
            async with aclosing(self._provider.summarize(text)) as tokens:
                while (token := await self._next(tokens, deadline)) is not None:
                    written += 1
                    yield _frame("token", SummaryToken(text=token))
            yield _frame("done", SummaryDone(input_characters=len(text), output_tokens=written))
        except ApiError as error:
            yield format_sse_event(event="error", data_str=json.dumps(error.document(path)))

    def close(self) -> None:
        """Shorten the time limit of running summaries, because the process shuts down."""
        self._deadline = asyncio.get_running_loop().time() + SHUTDOWN_SECONDS
        for timeout in self._timeouts:
            if not timeout.expired():
                timeout.reschedule(min(timeout.when() or self._deadline, self._deadline))

    async def _next(self, tokens: AsyncGenerator[str], deadline: float) -> str | None:
        """Return the next token, or None after the last.

        Raises:
            ProviderTooSlowError: the deadline has passed.
            ProviderFailedError: the provider raised.
        """
        timeout = asyncio.timeout_at(deadline if self._deadline is None else min(deadline, self._deadline))
        try:
            async with timeout:
                self._timeouts.add(timeout)
                return await anext(tokens, None)
        except TimeoutError:
            raise ProviderTooSlowError from None
        except Exception as error:
            logger.exception("provider_failed")
            raise ProviderFailedError from error
        finally:
            self._timeouts.discard(timeout)


class Summary(EventStream):
    """The response that streams a summary, once there is a slot for it."""

    def __init__(self, summarizer: Summarizer, text: str, path: str) -> None:
        super().__init__(summarizer.frames(text, path))
        self.slot = summarizer.slot

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self.slot():
            await super().__call__(scope, receive, send)


def _frame(event: str, data: BaseModel) -> bytes:
    return format_sse_event(event=event, data_str=data.model_dump_json())
