"""The hub tells the streams of this process that an organization has new events.

The log is in the database; only the news that it grew has to travel. PostgreSQL sends it to every process
(LISTEN/NOTIFY) over one connection each. On SQLite, and behind a connection pooler, each process polls.

New events are read once for all streams of a process, and the newest stay in memory. A stream is a position
in the log: a slow client reads what it missed from the database, and no queue grows for it.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import Context
from itertools import islice
from uuid import UUID

import structlog

from ..core.database import State
from . import queries
from .contracts import Event
from .errors import UnknownEventError
from .services import CHANNEL

# Events in memory per organization, and per read of a client that is behind.
RECENT = 200
BATCH = 100
# Polling interval; with notifications, in case one was lost.
POLL_SECONDS = {"polling": 0.5, "notifications": 30.0}
# The idle timeout: without an event a stream sends a comment, and notices a client that has left.
IDLE_TIMEOUT = 15.0
# Backoff between attempts to reach the database.
MIN_DELAY, MAX_DELAY = 0.5, 30.0

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Channel:
    """The newest events of one organization, while it has streams."""

    def __init__(self, last_id: int) -> None:
        self.last_id = last_id
        self.recent: deque[Event] = deque(maxlen=RECENT)
        self.followers = 0
        self.changed = asyncio.Event()

    def extend(self, events: Sequence[Event]) -> None:
        """Add the newest events, and wake the streams."""
        if events[0].id != self.last_id + 1:
            self.recent.clear()
        self.recent.extend(events)
        self.last_id = events[-1].id
        self.wake()

    def skip_to(self, event_id: int) -> None:
        """Skip events that are deleted; a stream that needs them gets the error from the database."""
        self.recent.clear()
        self.last_id = event_id
        self.wake()

    def wake(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    def since(self, event_id: int) -> Sequence[Event]:
        """Return the events after this one; none if they are not all in memory."""
        skipped = event_id + 1 - self.recent[0].id if self.recent else -1
        return list(islice(self.recent, skipped, None)) if skipped >= 0 else []


class Hub:
    """The channels of this process, and the task that reads their events; it starts with the first stream."""

    def __init__(self, state: State) -> None:
        self.closed = False
        self._engine = state["engine"]
        self._sessions = state["read_sessions"]
        # LISTEN needs a connection of its own, which a pooler in transaction mode does not give.
        self._notified = self._engine.dialect.name == "postgresql" and not state["settings"].database_pooler
        self._channels: dict[UUID, Channel] = {}
        self._stale: set[UUID] = set()
        self._wake = asyncio.Event()
        self._disconnected = False
        self._reader: asyncio.Task[None] | None = None

    async def follow(self, organization_id: UUID, event_id: int) -> AsyncGenerator[Sequence[Event]]:
        """Yield the events after this one as they are published, sometimes none, until shutdown.

        It holds no database connection while it waits.

        Raises:
            UnknownEventError: the caller is too slow, and the next events are deleted.
        """
        with self._channel(organization_id, event_id) as channel:
            while not self.closed:
                changed = channel.changed
                if event_id < channel.last_id:
                    events = channel.since(event_id) or await self._read(organization_id, event_id)
                    event_id = events[-1].id
                    yield events
                    continue
                try:
                    async with asyncio.timeout(IDLE_TIMEOUT):
                        await changed.wait()
                except TimeoutError:
                    yield ()

    def close(self) -> None:
        """End all streams, because the process shuts down."""
        self.closed = True
        for channel in self._channels.values():
            channel.wake()

    async def aclose(self) -> None:
        """End all streams and the reader."""
        self.close()
        if self._reader is not None:
            self._reader.cancel()
            with suppress(asyncio.CancelledError):
                await self._reader

    @contextmanager
    def _channel(self, organization_id: UUID, event_id: int) -> Iterator[Channel]:
        channel = self._channels.get(organization_id)
        if channel is None:
            channel = self._channels[organization_id] = Channel(event_id)
            # There was no notification of earlier events.
            self._refresh_soon(organization_id)
        channel.followers += 1
        try:
            yield channel
        finally:
            channel.followers -= 1
            if not channel.followers:
                del self._channels[organization_id]

    def _refresh_soon(self, organization_id: UUID) -> None:
        self._stale.add(organization_id)
        self._wake.set()
        if self._reader is None:
            # In an empty context: it works for all requests, not for the first one.
            self._reader = asyncio.create_task(self._read_forever(), name="events", context=Context())

    async def _read(self, organization_id: UUID, event_id: int) -> Sequence[Event]:
        async with self._sessions() as session:
            return await queries.list_events(session, organization_id, event_id, BATCH)

    async def _read_forever(self) -> None:
        delay = MIN_DELAY
        while True:
            try:
                async with self._notifications():
                    self._stale.update(self._channels)
                    while True:
                        await self._refresh()
                        delay = MIN_DELAY
                        await self._wait()
            except Exception:  # every stream depends on the next attempt
                logger.warning("events_not_read", retry_seconds=delay, exc_info=True)
                await asyncio.sleep(delay)
                delay = min(2 * delay, MAX_DELAY)

    async def _wait(self) -> None:
        """Wait for a notification or the next poll.

        Raises:
            ConnectionError: the connection for notifications was lost.
        """
        try:
            async with asyncio.timeout(POLL_SECONDS["notifications" if self._notified else "polling"]):
                await self._wake.wait()
        except TimeoutError:
            self._stale.update(self._channels)
        self._wake.clear()
        if self._disconnected:
            raise ConnectionError("The connection for notifications was lost.")

    async def _refresh(self) -> None:
        """Read the new events of the channels that may have some."""
        stale = self._stale & self._channels.keys()
        self._stale.clear()
        if not stale:
            return
        async with self._sessions() as session:
            for organization_id, last_id in (await queries.get_last_ids(session, stale)).items():
                channel = self._channels.get(organization_id)
                if channel is not None and channel.last_id < last_id:
                    since = max(channel.last_id, last_id - RECENT)
                    try:
                        channel.extend(await queries.list_events(session, organization_id, since, RECENT))
                    except UnknownEventError:
                        channel.skip_to(last_id)

    @asynccontextmanager
    async def _notifications(self) -> AsyncIterator[None]:
        if not self._notified:
            yield
            return
        async with self._engine.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            assert driver is not None  # noqa: S101 (it is connected)
            self._disconnected = False
            driver.add_termination_listener(self._on_disconnect)
            await driver.add_listener(CHANNEL, self._on_notification)
            try:
                yield
            finally:
                # The pool must not reuse a connection that listens.
                await connection.invalidate()

    def _on_notification(self, _: object, __: int, ___: str, payload: str) -> None:
        organization_id = UUID(payload)
        if organization_id in self._channels:
            self._refresh_soon(organization_id)

    def _on_disconnect(self, _: object) -> None:
        self._disconnected = True
        self._wake.set()
