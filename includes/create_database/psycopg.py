from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from {{ package }}.core.database_url import require_database
from {{ package }}.core.settings import get_settings


def main() -> None:
    settings = get_settings()
    url = urlsplit(settings.database_url)
    name = url.path.removeprefix("/")
    if settings.production or url.scheme != "postgresql":
        return
    require_database(settings.database_url)
    maintenance = url._replace(path="/postgres").geturl()
    with psycopg.connect(maintenance, autocommit=True, connect_timeout=5) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            print(f"database {name} created")


if __name__ == "__main__":
    main()
