"""Tells those who follow an organization's events, in this process, that there are new ones.

The log is in the database, so all that has to travel is the word that it grew. PostgreSQL brings that to
every process (LISTEN/NOTIFY), over one connection of each. On SQLite each looks for itself, twice a second.
Redis would add nothing but another server.

New events are read once for all who follow in this process, and the last ones stay in memory. A client is no
more than a position in the log: a slow one reads what it missed from the database, and no queue grows for it.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import Context
from itertools import islice
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from ..core.database import transaction
from . import queries
from .contracts import Event
from .errors import UnknownEventError
from .services import CHANNEL

# Of each organization, in memory.
RECENT = 200
# How many a client that is behind gets at a time.
BATCH = 100
# How often the log is looked at without being told to; with notifications, in case that one got lost.
POLL_SECONDS = {"sqlite": 0.5, "postgresql": 30.0}
# After this long without an event, who follows is given none, and can see whether the client is still there.
IDLE_SECONDS = 15.0
# Between attempts to reach a database that is gone, twice as long each time.
MIN_DELAY, MAX_DELAY = 0.5, 30.0

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Channel:
    """What a process knows of one organization's log, while somebody follows it."""

    def __init__(self, last_id: int) -> None:
        self.last_id = last_id
        self.recent: deque[Event] = deque(maxlen=RECENT)
        self.followers = 0
        self.changed = asyncio.Event()

    def extend(self, events: Sequence[Event]) -> None:
        """Take in the newest events, and wake who waits for them."""
        if events[0].id != self.last_id + 1:
            self.recent.clear()
        self.recent.extend(events)
        self.last_id = events[-1].id
        self.wake()

    def skip_to(self, event_id: int) -> None:
        """Leave out events that are gone; who waits for them asks for them, and is told so."""
        self.recent.clear()
        self.last_id = event_id
        self.wake()

    def wake(self) -> None:
        """Let everybody who waits look again."""
        self.changed.set()
        self.changed = asyncio.Event()

    def since(self, event_id: int) -> Sequence[Event]:
        """The events after this one; none if not all of them are in memory."""
        # Ids have no gaps.
        skipped = event_id + 1 - self.recent[0].id if self.recent else -1
        return list(islice(self.recent, skipped, None)) if skipped >= 0 else []


class Hub:
    """Where this process learns of events. One task reads them, which starts with the first who follows."""

    def __init__(self, engine: AsyncEngine, sessions: async_sessionmaker[AsyncSession]) -> None:
        self.closed = False
        self._engine = engine
        self._sessions = sessions
        self._channels: dict[UUID, Channel] = {}
        self._stale: set[UUID] = set()
        self._wake = asyncio.Event()
        self._disconnected = False
        self._reader: asyncio.Task[None] | None = None

    async def follow(self, organization_id: UUID, event_id: int) -> AsyncGenerator[Sequence[Event]]:
        """The organization's events after this one, as they come, until the process shuts down.

        No connection to the database is held while it waits. Now and then it yields no events.

        Raises:
            UnknownEventError: the caller was too slow, and what it would get next is no longer kept.
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
                    async with asyncio.timeout(IDLE_SECONDS):
                        await changed.wait()
                except TimeoutError:
                    yield ()

    def close(self) -> None:
        """End what follows, because the process shuts down."""
        self.closed = True
        for channel in self._channels.values():
            channel.wake()

    async def aclose(self) -> None:
        """The same, and end the reader as well."""
        self.close()
        if self._reader is not None:
            self._reader.cancel()
            with suppress(asyncio.CancelledError):
                await self._reader

    @contextmanager
    def _channel(self, organization_id: UUID, event_id: int) -> Iterator[Channel]:
        """The organization's channel, which is there as long as somebody is in here."""
        channel = self._channels.get(organization_id)
        if channel is None:
            channel = self._channels[organization_id] = Channel(event_id)
            # Nobody was told of what came before this moment.
            self._look_at(organization_id)
        channel.followers += 1
        try:
            yield channel
        finally:
            channel.followers -= 1
            if not channel.followers:
                del self._channels[organization_id]

    def _look_at(self, organization_id: UUID) -> None:
        self._stale.add(organization_id)
        self._wake.set()
        if self._reader is None:
            # Not in the context of the request that happens to be the first: it reads for all of them.
            self._reader = asyncio.create_task(self._read_forever(), name="events", context=Context())

    async def _read(self, organization_id: UUID, event_id: int) -> Sequence[Event]:
        async with transaction(self._sessions, writes=False) as session:
            return await queries.after(session, organization_id, event_id, BATCH)

    async def _read_forever(self) -> None:
        """Keep every channel up to date, also after the database was gone."""
        delay = MIN_DELAY
        while True:
            try:
                async with self._notifications():
                    self._stale.update(self._channels)
                    while True:
                        await self._refresh()
                        delay = MIN_DELAY
                        await self._wait()
            except Exception:  # whatever it was, everybody who follows depends on the next attempt
                logger.warning("events_not_read", retry_seconds=delay, exc_info=True)
                await asyncio.sleep(delay)
                delay = min(2 * delay, MAX_DELAY)

    async def _wait(self) -> None:
        """Return when there may be new events.

        Raises:
            ConnectionError: there will be no more notifications.
        """
        try:
            async with asyncio.timeout(POLL_SECONDS[self._engine.dialect.name]):
                await self._wake.wait()
        except TimeoutError:
            self._stale.update(self._channels)
        self._wake.clear()
        if self._disconnected:
            raise ConnectionError("The connection for notifications was lost.")

    async def _refresh(self) -> None:
        """Read what is new in the channels that may have changed."""
        stale = self._stale & self._channels.keys()
        self._stale.clear()
        if not stale:
            return
        async with transaction(self._sessions, writes=False) as session:
            for organization_id, last_id in (await queries.last_ids(session, stale)).items():
                channel = self._channels.get(organization_id)
                if channel is not None and channel.last_id < last_id:
                    since = max(channel.last_id, last_id - RECENT)
                    try:
                        channel.extend(await queries.after(session, organization_id, since, RECENT))
                    except UnknownEventError:
                        # A gap in the log of one organization is no matter of the others.
                        channel.skip_to(last_id)

    @asynccontextmanager
    async def _notifications(self) -> AsyncIterator[None]:
        """Inside, the reader is woken when an organization that is followed here has a new event."""
        if self._engine.dialect.name == "sqlite":
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
                # Back in the pool, it would go on listening.
                await connection.invalidate()

    def _on_notification(self, _: object, __: int, ___: str, payload: str) -> None:
        organization_id = UUID(payload)
        if organization_id in self._channels:
            self._look_at(organization_id)

    def _on_disconnect(self, _: object) -> None:
        self._disconnected = True
        self._wake.set()
