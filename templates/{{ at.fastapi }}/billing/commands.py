"""Work on stored payment events: `list`, `replay ID [--force]`, and `work [--drain]`, which retries them."""

import argparse
import asyncio
import signal
from collections.abc import Sequence
from contextlib import suppress

from ..core.database import Sessions, create_engine, session_factory
from ..core.logs import configure_logging
from ..core.settings import Settings, get_settings
from . import payments

POLL_SECONDS = 5


async def work(sessions: Sessions, *, drain: bool, stop: asyncio.Event) -> int:
    """Retry events as they become due, and return their number.

    Args:
        sessions: one per event.
        drain: return when no event is due, instead of waiting for the next.
        stop: return when it is set.
    """
    retried = 0
    while not stop.is_set():
        async with sessions.begin() as session:
            found = await payments.retry_next(session)
        retried += found
        if not found and drain:
            break
        if not found:
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), POLL_SECONDS)
    return retried


async def run(settings: Settings, options: argparse.Namespace) -> str:
    engine = create_engine(settings)
    sessions = session_factory(engine)
    try:
        if options.command == "work":
            stop = asyncio.Event()
            for number in (signal.SIGTERM, signal.SIGINT):
                # Windows has no signal handlers on the event loop.
                with suppress(NotImplementedError):
                    asyncio.get_running_loop().add_signal_handler(number, stop.set)
            return f"{await work(sessions, drain=options.drain, stop=stop)} events retried."
        async with sessions.begin() as session:
            if options.command == "replay":
                return f"{await payments.replay(session, options.id, force=options.force)}"
            rows = [
                f"{event.webhook_id}  {event.status}  {event.attempts} attempts  {event.error}"
                for event in await payments.list_open(session)
            ]
            return "\n".join(rows) or "No event is pending or parked."
    except payments.NotReplayableError as error:
        raise SystemExit(error.detail) from None
    finally:
        await engine.dispose()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="list the events that are pending or parked")
    replay = commands.add_parser("replay", help="process an event again")
    replay.add_argument("id")
    replay.add_argument("--force", action="store_true", help="even if it was applied")
    worker = commands.add_parser("work", help="retry pending events as they become due")
    worker.add_argument("--drain", action="store_true", help="end when no event is due")
    settings = get_settings()
    configure_logging(settings)
    print(asyncio.run(run(settings, parser.parse_args(arguments))))


if __name__ == "__main__":
    main()
