"""Payment events on the command line: list those that are not done, replay one."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from ....core.problems import Problem
from ... import services
from ...models import PaymentEvent


class Command(BaseCommand):
    help = "List the payment events that are pending or parked, or replay one by its webhook id."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="list the pending and parked events")
        replay = actions.add_parser("replay", help="apply an event again")
        replay.add_argument("id", help="the webhook id")
        replay.add_argument("--force", action="store_true", help="also if the event is done")

    def handle(self, *_args: object, action: str, **options: object) -> None:
        """Run the action.

        Raises:
            CommandError: there is no such event, or it is done.
        """
        if action == "list":
            open_statuses = (PaymentEvent.Status.PENDING, PaymentEvent.Status.PARKED)
            for event in PaymentEvent.objects.filter(status__in=open_statuses).order_by("created_at"):
                self.stdout.write(f"{event.webhook_id}\t{event.status}\t{event.error}")
            return
        try:
            status = services.replay_payment_event(str(options["id"]), force=bool(options["force"]))
        except Problem as problem:
            raise CommandError(problem.detail) from problem
        self.stdout.write(f"{options['id']}: {status}")
