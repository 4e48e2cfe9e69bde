"""Delete old idempotency keys. Run it daily."""

import argparse
import asyncio
from collections.abc import Sequence
from datetime import timedelta

from ..core.database import create_engine, session_factory
from ..core.settings import Settings, get_settings
from . import services


async def run(settings: Settings, *, days: int) -> int:
    """Delete the keys that are older than this many days, and return their number."""
    engine = create_engine(settings)
    try:
        async with session_factory(engine).begin() as session:
            return await services.delete_idempotency_keys(session, older_than=timedelta(days=days))
    finally:
        await engine.dispose()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=30, help="how long a key is kept (default: 30)")
    days: int = parser.parse_args(arguments).days
    if days < 1:
        parser.error("--days must be at least 1: clients may still repeat their requests.")
    print(f"{asyncio.run(run(get_settings(), days=days))} keys deleted.")


if __name__ == "__main__":
    main()
