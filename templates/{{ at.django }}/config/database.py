"""Django's `DATABASES`, made from DATABASE_URL."""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from psycopg.conninfo import conninfo_to_dict

from ..core.settings import Settings, get_settings

# The lock timeout, also in `migrate`: a waiting statement blocks all queries behind it.
LOCK_TIMEOUT_SECONDS = 5


def database(settings: Settings) -> dict[str, Any]:
    """Return the entry of `DATABASES`.

    Parameters of a PostgreSQL URL, such as `?sslmode=require` or `?options=-csearch_path%3Dtenant`, win over
    the options that are set here.
    """
    if settings.database_url.startswith("sqlite:"):
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": settings.database_url.removeprefix("sqlite:///"),
            "OPTIONS": {
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
                # Seconds to wait for the write lock.
                "timeout": settings.database_pool_timeout,
                # Lock for writing at BEGIN: SQLite does not wait when a reading transaction starts to write.
                "transaction_mode": "IMMEDIATE",
            },
        }
    parameters = conninfo_to_dict(settings.database_url)
    named = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    entry: dict[str, Any] = {key: parameters.pop(name, "") for key, name in named.items()}
    entry["ENGINE"] = "django.db.backends.postgresql"
    options: dict[str, Any] = {
        "connect_timeout": 2,
        # Notice within seconds that the database server has vanished.
        "keepalives_idle": 10,
        "tcp_user_timeout": 10_000,
        **parameters,
    }
    entry["OPTIONS"] = options
    if settings.database_pooler:
        # pgbouncer in transaction mode pools the connections; it refuses startup options and has no sessions.
        entry["DISABLE_SERVER_SIDE_CURSORS"] = True
        connection_created.connect(_set_timeouts, dispatch_uid="timeouts")
    else:
        # Without CONN_HEALTH_CHECKS, a round trip per request: a broken idle connection fails one with 503.
        # A long migration lifts the limit in its first operation: SET LOCAL statement_timeout = 0.
        seconds = settings.database_statement_timeout
        timeouts = f"-c statement_timeout={seconds}s -c lock_timeout={LOCK_TIMEOUT_SECONDS}s"
        options["options"] = f"{timeouts} {parameters.get('options', '')}".strip()
        # The pool size: a server thread keeps its connection until the request ends, so each has one.
        size = max(settings.database_pool_size, settings.threads)
        options["pool"] = {"min_size": 1, "max_size": size, "timeout": settings.database_pool_timeout}
    return entry


def _set_timeouts(connection: BaseDatabaseWrapper, **_: object) -> None:
    """Set the timeouts on the server connection behind the pooler, which then keeps them."""
    seconds = get_settings().database_statement_timeout
    with connection.cursor() as cursor:
        cursor.execute(f"SET statement_timeout = '{seconds}s'; SET lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'")
