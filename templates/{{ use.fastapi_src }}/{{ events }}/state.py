"""What this module keeps from the start of the process to its end, and how it learns that the end is near."""

import asyncio
import logging
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import FrameType

from ..core import database
from .hub import Hub
from .providers import create_provider
from .summaries import Summarizer


class State(database.State):
    """With what streams need."""

    hub: Hub
    summarizer: Summarizer


@asynccontextmanager
async def with_events(state: database.State) -> AsyncIterator[State]:
    """The application's state with this module's, which ends its streams when the process is told to stop."""
    hub = Hub(state["engine"], state["sessions"])
    summarizer = Summarizer(create_provider())

    def close() -> None:
        hub.close()
        summarizer.close()

    # The server takes a WebSocket that was refused by an HTTP answer, as ASGI has it, for an unanswered one.
    logging.getLogger("uvicorn.error").addFilter(_is_no_refusal)
    with told_to_stop(close):
        yield {**state, "hub": hub, "summarizer": summarizer}
    await hub.aclose()


def _is_no_refusal(record: logging.LogRecord) -> bool:
    return record.msg != "ASGI callable returned without completing handshake."


@contextmanager
def told_to_stop(call: Callable[[], None]) -> Iterator[None]:
    """Inside, SIGTERM and SIGINT call this before they do what they did.

    The server ends the application's lifespan when all answers are complete, and a stream never would be.
    """
    if threading.current_thread() is not threading.main_thread():
        # Tests do that; only the main thread hears of signals.
        yield
        return
    loop = asyncio.get_running_loop()
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}

    def on_signal(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(call)
        previous = before[signal.Signals(number)]
        if callable(previous):
            previous(number, frame)

    for each in before:
        signal.signal(each, on_signal)
    try:
        yield
    finally:
        for each, previous in before.items():
            signal.signal(each, previous)
