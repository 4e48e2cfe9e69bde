"""The database: the base of every model, the engine, and one transaction for each request."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, TypedDict

from fastapi import Depends, Request
from sqlalchemy import URL, Connection, DateTime, Dialect, MetaData, TypeDecorator, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import ConnectionPoolEntry

from .settings import Settings

# Of each server process; PostgreSQL has 100 for all of them unless told otherwise.
POOL_SIZE = 10
# Waiting for a free connection, for the server to accept one, and for SQLite's write lock.
WAIT_SECONDS = 5
STATEMENT_SECONDS = 30
# The database ends a statement before that, if it can still be reached.
COMMAND_SECONDS = 35
RECYCLE_SECONDS = 1800
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, in UTC. SQLite forgets time zones, so this one is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and (value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC))


class Base(DeclarativeBase):
    """The base of every model. Constraints get names, so that a migration can refer to them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime}  # noqa: RUF012 (declared so by SQLAlchemy)


class State(TypedDict):
    """What the application keeps from start to end; a request finds it in `request.state`."""

    settings: Settings
    engine: AsyncEngine
    sessions: async_sessionmaker[AsyncSession]


def create_engine(url: str, *, command_seconds: int | None = COMMAND_SECONDS) -> AsyncEngine:
    """The engine for `url`; it connects when it is first used.

    Args:
        url: `sqlite:///file` or `postgresql://user:password@host:5432/name`, also with libpq's `sslmode`.
        command_seconds: how long PostgreSQL may take to answer a statement; without limit if there is none.
    """
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        return _sqlite_engine(address)
    if "sslmode" in address.query:
        ssl = address.query["sslmode"]
        address = address.difference_update_query(["sslmode"]).update_query_dict({"ssl": ssl})
    return create_async_engine(
        address.set(drivername="postgresql+asyncpg"),
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_timeout=WAIT_SECONDS,
        pool_recycle=RECYCLE_SECONDS,
        pool_pre_ping=True,
        # What a statement is given may be a secret, and an error that tells it ends in the log.
        hide_parameters=True,
        connect_args={
            "timeout": WAIT_SECONDS,
            "command_timeout": command_seconds,
            "server_settings": {"statement_timeout": f"{STATEMENT_SECONDS}s"},
        },
    )


def _sqlite_engine(address: URL) -> AsyncEngine:
    engine = create_async_engine(
        address.set(drivername="sqlite+aiosqlite"),
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_timeout=WAIT_SECONDS,
        hide_parameters=True,
        connect_args={"timeout": WAIT_SECONDS},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        # The driver begins too late for savepoints and for changes of tables; `begin` below does it.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def session_factory(bind: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    return async_sessionmaker(bind, expire_on_commit=False)


@asynccontextmanager
async def transaction(
    sessions: async_sessionmaker[AsyncSession], *, writes: bool = True
) -> AsyncIterator[AsyncSession]:
    """A session that is committed at the end, and rolled back when something is raised.

    Args:
        sessions: what makes the session.
        writes: on SQLite, wait for the write lock now; once the transaction has read, it fails instead.
    """
    async with sessions.begin() as session:
        if writes:
            await session.connection(execution_options={"writes": True})
        yield session


async def get_sessions(request: Request) -> async_sessionmaker[AsyncSession]:
    sessions: async_sessionmaker[AsyncSession] = request.state.sessions
    return sessions


async def get_session(request: Request) -> AsyncIterator[AsyncSession]:
    """The session of a request: committed when the route returns, rolled back when it raises."""
    writes = request.method not in SAFE_METHODS
    async with transaction(await get_sessions(request), writes=writes) as session:
        yield session


# With this scope the commit comes before the response, so no client hears of rows that are not there.
SessionDependency = Annotated[AsyncSession, Depends(get_session, scope="function")]
