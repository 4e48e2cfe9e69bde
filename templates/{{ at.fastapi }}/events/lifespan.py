"""What this module adds to the state of a process, and its shutdown."""

import asyncio
import logging
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import FrameType
from typing import TypedDict

from ..core.database import State
from .hub import Hub
from .providers import create_provider
from .summaries import Summarizer


class EventsState(TypedDict):
    hub: Hub
    summarizer: Summarizer


@asynccontextmanager
async def lifespan(state: State) -> AsyncIterator[EventsState]:
    """Start with the application, and end all streams when the process is told to stop."""
    hub = Hub(state)
    summarizer = Summarizer(create_provider())

    def close() -> None:
        hub.close()
        summarizer.close()

    # uvicorn logs a WebSocket that was refused with an HTTP response as unanswered.
    logging.getLogger("uvicorn.error").addFilter(_is_no_refusal)
    with on_shutdown(close):
        yield {"hub": hub, "summarizer": summarizer}
    await hub.aclose()


def _is_no_refusal(record: logging.LogRecord) -> bool:
    return record.msg != "ASGI callable returned without completing handshake."


@contextmanager
def on_shutdown(call: Callable[[], None]) -> Iterator[None]:
    """Call a function on SIGTERM or SIGINT, before the previous handlers.

    The server ends the lifespan when all responses are complete, and a stream never is.
    """
    if threading.current_thread() is not threading.main_thread():
        # Only the main thread receives signals; tests run in others.
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def on_signal(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(call)
        previous = before[signal.Signals(number)]
        if callable(previous):
            previous(number, frame)

    for number in before:
        signal.signal(number, on_signal)
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
