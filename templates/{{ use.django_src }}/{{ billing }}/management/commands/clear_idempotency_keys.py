"""Forget old idempotency keys, whose table grows with every invoice; made for a daily timer."""

from argparse import ArgumentParser
from datetime import timedelta

from django.core.management.base import BaseCommand, CommandError

from ... import services


class Command(BaseCommand):
    help = "Delete the idempotency keys that nobody will repeat any more."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=30, help="how long a key is kept (default: 30)")

    def handle(self, *_args: object, days: int, **_options: object) -> None:
        """Delete what is older.

        Raises:
            CommandError: the number of days is not positive.
        """
        if days < 1:
            raise CommandError("--days must be at least 1: a client may still repeat its request.")
        self.stdout.write(f"{services.forget_answers(older_than=timedelta(days=days))} keys deleted.")
