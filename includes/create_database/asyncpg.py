import asyncio
from urllib.parse import urlsplit

import asyncpg  # type: ignore[import-untyped] # has no types

from {{ package }}.core.database_url import require_database
from {{ package }}.core.settings import get_settings


async def create() -> None:
    settings = get_settings()
    url = urlsplit(settings.database_url)
    name = url.path.removeprefix("/")
    if settings.production or url.scheme != "postgresql":
        return
    require_database(settings.database_url)
    maintenance = url._replace(path="/postgres").geturl()
    connection = await asyncpg.connect(maintenance, timeout=5)
    try:
        if await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name) is None:
            quoted = name.replace('"', '""')
            await connection.execute(f'CREATE DATABASE "{quoted}"')
            print(f"database {name} created")
    finally:
        await connection.close()


if __name__ == "__main__":
    asyncio.run(create())
