"""Django's database settings, made from DATABASE_URL."""

from typing import Any

from psycopg.conninfo import conninfo_to_dict

# Requests that one server process works on at a time. Each needs at most one connection.
THREADS = 8


def database(url: str) -> dict[str, Any]:
    """The entry of `DATABASES` for a `sqlite:///file` or `postgresql://` address.

    Parameters in the query of a PostgreSQL address, such as `?sslmode=require`, win over what is set here.
    """
    if url.startswith("sqlite:"):
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": url.removeprefix("sqlite:///"),
            "OPTIONS": {
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
                "timeout": 5,
                # A transaction that turns from reading to writing would fail at once instead of waiting.
                "transaction_mode": "IMMEDIATE",
            },
        }
    parameters = conninfo_to_dict(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parameters.pop("dbname", ""),
        "USER": parameters.pop("user", ""),
        "PASSWORD": parameters.pop("password", ""),
        "HOST": parameters.pop("host", ""),
        "PORT": parameters.pop("port", ""),
        # Connections that broke while they were idle are replaced, not handed out.
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 2,
            # A server that vanishes says nothing, and would be waited for as long as TCP tries.
            "keepalives_idle": 10,
            "tcp_user_timeout": 10_000,
            # For `migrate` too: who waits for a table's lock holds up every query behind it, so it gives up.
            # A long migration lifts the other limit by its first operation, SET LOCAL statement_timeout = 0.
            "options": "-c statement_timeout=30s -c lock_timeout=5s",
            "pool": {"min_size": 1, "max_size": THREADS, "timeout": 2},
            **parameters,
        },
    }
