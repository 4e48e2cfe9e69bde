"""Forget old idempotency keys, whose table grows with every invoice. Made to be run by a daily timer."""

import argparse
import asyncio
from collections.abc import Sequence
from datetime import timedelta

from ..core.database import create_engine, session_factory, transaction
from ..core.settings import get_settings
from . import services


async def run(url: str, *, days: int) -> int:
    """Delete the keys that are older than this many days; returns how many there were."""
    engine = create_engine(url)
    try:
        async with transaction(session_factory(engine)) as session:
            return await services.forget_answers(session, older_than=timedelta(days=days))
    finally:
        await engine.dispose()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=30, help="how long a key is kept (default: 30)")
    days: int = parser.parse_args(arguments).days
    if days < 1:
        parser.error("--days must be at least 1: a client may still repeat its request.")
    print(f"{asyncio.run(run(get_settings().database_url, days=days))} keys deleted.")


if __name__ == "__main__":
    main()
