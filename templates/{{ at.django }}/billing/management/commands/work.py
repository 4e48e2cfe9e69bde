"""The background worker: it retries payments that could not be applied."""

from argparse import ArgumentParser
from time import sleep

from django.core.management.base import BaseCommand
from django.db import close_old_connections

from ... import services

POLL_SECONDS = 5


class Command(BaseCommand):
    help = "Retry pending payments as they become due, until the process is stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--drain", action="store_true", help="try what is due now, then exit")

    def handle(self, *_args: object, drain: bool, **_options: object) -> None:
        while True:
            tried = services.retry_payments()
            if drain:
                self.stdout.write(f"{tried} payments tried.")
                return
            close_old_connections()
            sleep(POLL_SECONDS)
