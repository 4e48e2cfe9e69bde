"""The database: base class of the models, engine, and the sessions of a request."""

import enum
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any, TypedDict
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from uuid import uuid4

from fastapi import Depends, Request
from sqlalchemy import DateTime, Dialect, Enum, MetaData, TypeDecorator, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from .settings import Settings

RECYCLE_SECONDS = 1800
# How much longer than PostgreSQL we wait for a statement, in case the server is gone.
COMMAND_GRACE_SECONDS = 5

Sessions = async_sessionmaker[AsyncSession]


class UtcDateTime(TypeDecorator[datetime]):
    """A timestamp in UTC. SQLite stores no time zone; it is added when a row is loaded."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and (value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC))


class Base(DeclarativeBase):
    """Base class of every model. Constraints are named, so that migrations can change them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 (declared so by SQLAlchemy)
        datetime: UtcDateTime,
        enum.Enum: Enum(enum.Enum, length=50, values_callable=lambda kind: [each.value for each in kind]),
    }

    def __init_subclass__(cls, **options: Any) -> None:  # noqa: ANN401 (those of a model)
        super().__init_subclass__(**options)
        for column in getattr(getattr(cls, "__table__", None), "columns", ()):
            if type(column.type) is Enum:
                # VARCHAR on every database: Alembic neither creates nor drops PostgreSQL's enum types.
                column.type.native_enum = False


class State(TypedDict):
    """Created once at startup; `request.state` has the same attributes."""

    settings: Settings
    engine: AsyncEngine
    sessions: Sessions
    read_sessions: Sessions


def create_engine(settings: Settings, *, limit_statements: bool = True) -> AsyncEngine:
    """Create the connection pool, which connects on first use; migrations do not limit their statements."""
    pool: dict[str, Any] = {
        # The pool size is per process.
        "pool_size": settings.database_pool_size,
        "max_overflow": 0,
        "pool_timeout": settings.database_pool_timeout,
        # Parameters may be secrets, and errors are logged.
        "hide_parameters": True,
    }
    if settings.database_url.startswith("sqlite:"):
        return _sqlite_engine(settings, pool)
    parts = urlsplit(settings.database_url)
    query = dict(parse_qsl(parts.query))
    # asyncpg has no channel binding; `sslmode=verify-full` protects as well.
    query.pop("channel_binding", None)
    arguments: dict[str, Any] = {
        "timeout": int(query.pop("connect_timeout", settings.database_pool_timeout)),
        # asyncpg reads the URL as libpq does: several hosts, sockets, sslmode, options.
        "dsn": urlunsplit(parts._replace(query=urlencode(query))),
    }
    if limit_statements:
        arguments["command_timeout"] = settings.database_statement_timeout + COMMAND_GRACE_SECONDS
        # The URL wins, and a pooler refuses parameters at startup.
        if not settings.database_pooler and "statement_timeout" not in query.get("options", ""):
            arguments["server_settings"] = {"statement_timeout": f"{settings.database_statement_timeout}s"}
    if settings.database_pooler:
        # In transaction mode, the next statement may run on another server connection.
        arguments |= {
            "statement_cache_size": 0,
            "prepared_statement_cache_size": 0,
            "prepared_statement_name_func": lambda: f"__asyncpg_{uuid4()}__",
        }
    pool["pool_recycle"] = RECYCLE_SECONDS
    engine = create_async_engine("postgresql+asyncpg://", connect_args=arguments, **pool)

    @event.listens_for(engine.sync_engine, "checkout")
    def discard_closed(_: object, record: Any, __: object) -> None:  # noqa: ANN401 (of the driver)
        # Without the round trip of `pool_pre_ping`: the event loop noticed when the server closed it.
        if record.driver_connection.is_closed():
            raise DisconnectionError

    return engine


def _sqlite_engine(settings: Settings, pool: dict[str, Any]) -> AsyncEngine:
    """Create the engine of SQLite, where reads see what is committed and the first write takes the lock.

    The driver would begin a transaction with the first read, and fail the first write if another process
    has written since.
    """
    url = settings.database_url.replace("sqlite:", "sqlite+aiosqlite:", 1)
    timeout = {"timeout": settings.database_pool_timeout}
    engine = create_async_engine(url, connect_args=timeout, **pool)

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _: object) -> None:  # noqa: ANN401 (of the driver)
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.close()

    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def begin(*arguments: Any) -> None:  # noqa: ANN401 (those of the event)
        connection, cursor, statement, _, context, _ = arguments
        if connection.connection.driver_connection.in_transaction:
            return
        compiled = context.compiled
        locks = compiled is not None and getattr(compiled.statement, "_for_update_arg", None) is not None
        if locks or not statement.lstrip().upper().startswith(("SELECT", "PRAGMA")):
            cursor.execute("BEGIN IMMEDIATE")

    return engine


def session_factory(engine: AsyncEngine) -> Sessions:
    """Sessions that are one transaction each: `async with sessions.begin() as session`."""
    return async_sessionmaker(engine, expire_on_commit=False)


def read_session_factory(settings: Settings, engine: AsyncEngine) -> Sessions:
    """Sessions that only read, without the round trips of a transaction."""
    if engine.dialect.name == "postgresql" and not settings.database_pooler:
        engine = engine.execution_options(isolation_level="AUTOCOMMIT")
    return session_factory(engine)


async def get_session(request: Request) -> AsyncIterator[AsyncSession]:
    """The transaction of a request: committed when the route returns, rolled back if it raises."""
    sessions: Sessions = request.state.sessions
    async with sessions.begin() as session:
        yield session


async def get_read_session(request: Request) -> AsyncIterator[AsyncSession]:
    """A session of a request that writes nothing."""
    read_sessions: Sessions = request.state.read_sessions
    async with read_sessions() as session:
        yield session


# A session takes a connection with its first statement. The scope "function" commits and gives it back before
# the response is sent. Never await another service in between.
SessionDependency = Annotated[AsyncSession, Depends(get_session, scope="function")]
ReadSessionDependency = Annotated[AsyncSession, Depends(get_read_session, scope="function")]
