"""Delete old idempotency keys; run it daily."""

from argparse import ArgumentParser
from datetime import timedelta

from django.core.management.base import BaseCommand, CommandError

from ... import services


class Command(BaseCommand):
    help = "Delete old idempotency keys."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=30, help="how long a key is kept (default: 30)")

    def handle(self, *_args: object, days: int, **_options: object) -> None:
        """Delete the keys.

        Raises:
            CommandError: `--days` is less than 1.
        """
        if days < 1:
            raise CommandError("--days must be at least 1: clients may still repeat their requests.")
        self.stdout.write(
            f"{services.delete_idempotency_keys(older_than=timedelta(days=days))} keys deleted."
        )
