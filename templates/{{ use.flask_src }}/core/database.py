"""How the application reaches its database: the base of every model, and the options of the engine."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import has_request_context, request
from sqlalchemy import URL, Connection, DateTime, Dialect, Engine, MetaData, TypeDecorator, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import DeclarativeBase, registry
from sqlalchemy.pool import ConnectionPoolEntry

# Of each server process. A thread holds at most one connection, so with a pool of this size none waits.
THREADS = 16
STATEMENT_TIMEOUT_SECONDS = 30
BUSY_TIMEOUT_SECONDS = 5


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC. SQLite does not keep the time zone, so it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and (value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC))


class Base(DeclarativeBase):
    """The base of every model. Constraints are named, so that a migration can change them on any database."""

    registry = registry(
        metadata=MetaData(
            naming_convention={
                "ix": "ix_%(table_name)s_%(column_0_N_name)s",
                "uq": "uq_%(table_name)s_%(column_0_N_name)s",
                "ck": "ck_%(table_name)s_%(constraint_name)s",
                "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
                "pk": "pk_%(table_name)s",
            }
        ),
        type_annotation_map={datetime: UtcDateTime()},
    )


def database_url(url: str) -> URL:
    """The address as SQLAlchemy takes it.

    Args:
        url: `sqlite:///file`, below the working directory unless absolute, or `postgresql://…`.
    """
    parsed = make_url(url)
    if parsed.drivername == "sqlite":
        # Flask-SQLAlchemy would look for a relative path in the instance folder.
        return parsed.set(database=str(Path(parsed.database or "").absolute()))
    return parsed.set(drivername="postgresql+psycopg")


def engine_options(url: str) -> dict[str, Any]:
    """What the engine for `url` is created with: the size of its pool, and how long anything may take."""
    # What a statement is given may be a secret, and an error that tells it ends in the log.
    options: dict[str, Any] = {
        "pool_size": THREADS,
        "max_overflow": 0,
        "pool_timeout": 5,
        "hide_parameters": True,
    }
    if url.startswith("sqlite:"):
        return {**options, "connect_args": {"timeout": BUSY_TIMEOUT_SECONDS}}
    return {
        **options,
        "pool_pre_ping": True,
        "pool_recycle": 1800,
        "connect_args": {
            "connect_timeout": 5,
            # A server that vanishes says nothing, and would be waited for as long as TCP tries.
            "keepalives_idle": 10,
            "tcp_user_timeout": 10_000,
            "options": f"-c statement_timeout={STATEMENT_TIMEOUT_SECONDS}s",
        },
    }


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    if isinstance(connection, sqlite3.Connection):
        # The driver begins a transaction too late for DDL and savepoints, so it is begun below.
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA journal_mode = WAL")


@event.listens_for(Engine, "begin")
def _begin_sqlite(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        # To read first and write later fails when another wrote meanwhile, so writers queue from the start.
        reading = has_request_context() and request.method in {"GET", "HEAD"}
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
