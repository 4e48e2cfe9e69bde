"""`flask webhooks`: the worker, and what is left for people to decide."""

import signal
from datetime import timedelta
from threading import Event
from uuid import UUID

import click
from flask.cli import AppGroup

from ..extensions import db
from . import queries, services
from .models import Status
from .worker import work

webhooks = AppGroup("webhooks", help="The webhooks that came in.")


@webhooks.command("work")
@click.option("--drain", is_flag=True, help="End when nothing is due.")
def run_worker(drain: bool) -> None:
    """Apply what came in, until SIGTERM or SIGINT."""
    stop = Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    processed = work(stop, drain=drain)
    click.echo(f"{processed} processed")


@webhooks.command("list")
@click.option("--status", type=click.Choice([each.value for each in Status]), help="By default any.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
def list_newest(status: str | None, limit: int) -> None:
    """List what came in, the newest first."""
    for event in queries.newest(limit=limit, status=status):
        came = f"{event.created_at:%Y-%m-%d %H:%M:%S}  {event.provider} {event.webhook_id} {event.type}"
        state = f"{event.status}, attempts: {event.attempts}  {event.error or ''}"
        click.echo(f"{event.id}  {came}  {state}".rstrip())


@webhooks.command()
@click.argument("event_ids", type=UUID, nargs=-1)
@click.option("--parked", is_flag=True, help="All that kept failing.")
def replay(event_ids: tuple[UUID, ...], parked: bool) -> None:
    """Try events anew, which the worker then does. What was applied once is never applied again."""
    if parked:
        event_ids += tuple(queries.parked())
    for event_id in event_ids:
        if not services.replay(event_id):
            raise click.ClickException(f"There is nothing to try anew under the id {event_id}.")
    db.session.commit()
    click.echo(f"{len(event_ids)} to be tried anew")


@webhooks.command()
@click.option("--days", type=click.IntRange(1), default=90, show_default=True, help="How long one is kept.")
def forget(days: int) -> None:
    """Delete old events that were applied or ignored. For a daily timer."""
    deleted = services.forget(older_than=timedelta(days=days))
    db.session.commit()
    click.echo(f"{deleted} events deleted")
