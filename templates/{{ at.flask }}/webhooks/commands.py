"""`flask webhooks`: the worker, and what to do about events that failed."""

import signal
from datetime import timedelta
from threading import Event
from uuid import UUID

import click
from flask import Blueprint

from ..extensions import db
from . import queries, services
from .models import Status
from .worker import work

blueprint = Blueprint("webhooks-commands", __name__, cli_group="webhooks")
blueprint.cli.help = "Stored webhooks."


@blueprint.cli.command("work")
@click.option("--drain", is_flag=True, help="End when nothing is due.")
def run_worker(drain: bool) -> None:
    """Apply stored events until SIGTERM or SIGINT."""
    stop = Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    processed = work(stop, drain=drain)
    click.echo(f"{processed} processed")


@blueprint.cli.command("list")
@click.option("--status", type=click.Choice([each.value for each in Status]), help="By default any.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
def list_newest(status: str | None, limit: int) -> None:
    """List the newest events, with their status and error."""
    for event in queries.newest(limit=limit, status=status):
        came = f"{event.created_at:%Y-%m-%d %H:%M:%S}  {event.provider} {event.webhook_id} {event.type}"
        state = f"{event.status}, attempts: {event.attempts}  {event.error or ''}"
        click.echo(f"{event.id}  {came}  {state}".rstrip())


@blueprint.cli.command()
@click.argument("event_ids", type=UUID, nargs=-1)
@click.option("--parked", is_flag=True, help="All parked events.")
@click.option("--force", is_flag=True, help="Also events that are done.")
def replay(event_ids: tuple[UUID, ...], parked: bool, force: bool) -> None:
    """Let the worker try events again: parked and waiting ones, and ignored ones that are handled by now."""
    if parked:
        event_ids += tuple(queries.parked())
    for event_id in event_ids:
        if not services.replay(event_id, force=force):
            raise click.ClickException(f"There is no event to replay with the id {event_id}.")
    db.session.commit()
    click.echo(f"{len(event_ids)} to be processed again")


@blueprint.cli.command()
@click.option("--days", type=click.IntRange(1), default=90, show_default=True, help="Keep this long.")
def forget(days: int) -> None:
    """Delete old events that are done or ignored. Run it daily."""
    deleted = services.delete_finished(older_than=timedelta(days=days))
    db.session.commit()
    click.echo(f"{deleted} events deleted")
