"""The database: the base class of every model, and the options of the engine."""

import enum
import sqlite3
from datetime import UTC, datetime
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import DeclarativeBase, registry
from sqlalchemy.pool import ConnectionPoolEntry, Pool, PoolProxiedConnection

from .settings import Settings

# Statements that need no write lock on SQLite.
SQLITE_READS = ("BEGIN", "COMMIT", "EXPLAIN", "PRAGMA", "RELEASE", "ROLLBACK", "SELECT")


class UtcDateTime(sa.TypeDecorator[datetime]):
    """A time zone aware datetime in UTC. SQLite stores no time zone, so it is added on the way out."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return value and (value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC))


class Base(DeclarativeBase):
    """The base class of every model."""

    registry = registry(
        # Named constraints: a migration can drop them on any database.
        metadata=sa.MetaData(
            naming_convention={
                "ix": "ix_%(table_name)s_%(column_0_N_name)s",
                "uq": "uq_%(table_name)s_%(column_0_N_name)s",
                "ck": "ck_%(table_name)s_%(constraint_name)s",
                "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
                "pk": "pk_%(table_name)s",
            }
        ),
        type_annotation_map={
            datetime: UtcDateTime(),
            enum.Enum: sa.Enum(enum.Enum, length=50, values_callable=lambda kind: [e.value for e in kind]),
        },
    )


def database_url(url: str) -> sa.URL:
    """Return `DATABASE_URL` as SQLAlchemy takes it; libpq's parameters go to `engine_options`."""
    return sa.make_url(url if url.startswith("sqlite:") else "postgresql+psycopg://")


def engine_options(settings: Settings) -> dict[str, Any]:
    """Return the arguments of `create_engine`: pool size, timeouts and connection parameters."""
    options: dict[str, Any] = {
        "pool_size": settings.database_pool_size,
        "max_overflow": 0,
        "pool_timeout": settings.database_pool_timeout,
        # Parameters may be secrets, and errors are logged.
        "hide_parameters": True,
    }
    if settings.database_url.startswith("sqlite:"):
        return {**options, "connect_args": {"timeout": settings.database_pool_timeout}}
    connection: dict[str, Any] = {
        "connect_timeout": 5,
        # TCP keep-alive and timeout: notice a server that has vanished.
        "keepalives_idle": 10,
        "tcp_user_timeout": 10_000,
        **conninfo_to_dict(settings.database_url),
    }
    if settings.database_pooler:
        # Behind pgbouncer, in transaction mode: no prepared statements and no startup options.
        connection["prepare_threshold"] = None
    else:
        timeout = f"-c statement_timeout={settings.database_statement_timeout}s"
        connection["options"] = f"{timeout} {connection.get('options', '')}".strip()
    return {**options, "pool_recycle": 1800, "connect_args": connection}


@event.listens_for(sa.Column, "before_parent_attach")
def _make_enum_portable(column: sa.Column[Any], _: object) -> None:
    # VARCHAR on every database: PostgreSQL's own enum types do not come and go with a column.
    if isinstance(column.type, sa.Enum):
        column.type.native_enum = False


@event.listens_for(Pool, "checkout")
def _replace_closed_connection(connection: object, _: ConnectionPoolEntry, __: PoolProxiedConnection) -> None:
    # As pool_pre_ping, without its round trip: reads what the server has sent, an end among it.
    if isinstance(connection, psycopg.Connection):
        try:
            connection.pgconn.consume_input()
        except psycopg.OperationalError as error:
            raise DisconnectionError from error


@event.listens_for(Engine, "connect")
def _configure_sqlite(connection: object, _: ConnectionPoolEntry) -> None:
    if isinstance(connection, sqlite3.Connection):
        # The listeners below begin transactions; the driver would do it too late for DDL and savepoints.
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA journal_mode = WAL")


@event.listens_for(Engine, "begin")
def _begin_sqlite(connection: sa.Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.info["write_lock"] = False
        connection.exec_driver_sql("BEGIN")


@event.listens_for(Engine, "before_cursor_execute")
def _take_write_lock(connection: sa.Connection, _: object, statement: str, *others: Any) -> None:  # noqa: ANN401
    # SQLite's write lock is taken at the first write or SELECT … FOR UPDATE. A transaction that has only read
    # starts anew for it, and reads what others have written meanwhile, as PostgreSQL's do (READ COMMITTED).
    if connection.dialect.name != "sqlite" or connection.info["write_lock"]:
        return
    _, context, _ = others
    for_update = getattr(context.invoked_statement, "_for_update_arg", None) is not None
    if for_update or not statement.startswith(SQLITE_READS):
        connection.info["write_lock"] = True
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
