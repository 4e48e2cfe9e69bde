"""Payments that cannot be applied are stored, retried, listed and replayed."""

import json
import re
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from servers import Server, authorization, clean_environment, headers_for
from support import answers_of

pytestmark = pytest.mark.parametrize("generated", ["django", "fastapi", "flask"], indirect=True, scope="session")

INVOICES = "/api/v1/invoices"
COMMANDS = {
    "django": ["python", "manage.py", "webhooks"],
    "fastapi": ["python", "-m", "shop.billing.commands"],
    "flask": ["flask", "webhooks"],
}
TABLES = {"django": "billing_invoice", "fastapi": "billing_invoices", "flask": "billing_invoices"}


class Shop:
    """A server, and the commands of its operator."""

    def __init__(self, project: Path, database: str, client: httpx.Client) -> None:
        self.framework = answers_of(project)["framework"]
        self.table = TABLES[self.framework]
        self.project, self.database, self.client = project, database, client

    def create(self) -> dict[str, Any]:
        body = {"customer": f"Initech {uuid4()}", "amount_cents": 12_50, "currency": "EUR"}
        answer = self.client.post(INVOICES, json=body)
        assert answer.status_code == 201, answer.text
        invoice: dict[str, Any] = answer.json()
        return invoice

    def status(self, invoice: dict[str, Any]) -> str:
        return str(self.client.get(f"{INVOICES}/{invoice['id']}").json()["status"])

    def deliver(self, body: bytes, identifier: str) -> dict[str, Any]:
        answer = self.client.post("/webhooks/payments", content=body, headers=headers_for(body, identifier=identifier))
        assert answer.status_code == 202, answer.text
        said: dict[str, Any] = answer.json()
        return said

    def work(self) -> None:
        """Run the worker until nothing is due, as `just work --drain` does."""
        (recipe,) = re.findall(r"^work .*\n    uv run (.+) \{\{", (self.project / "justfile").read_text(), re.MULTILINE)
        self.run(*recipe.split(), "--drain")

    def command(self, *arguments: str) -> str:
        """Return the output of the command for stored webhooks."""
        return self.run(*COMMANDS[self.framework], *arguments)

    def run(self, program: str, *arguments: str) -> str:
        result = subprocess.run(
            [str(self.project / ".venv" / "bin" / program), *arguments],
            cwd=self.project,
            env=clean_environment(DATABASE_URL=self.database, LOG_LEVEL="ERROR"),
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr[-3000:]
        return result.stdout

    def listed(self, identifier: str) -> str:
        """Return the line of a stored webhook, or nothing."""
        return next((line for line in self.command("list").splitlines() if identifier in line), "")

    def sql(self, *statements: str) -> None:
        if self.database.startswith("sqlite"):
            with sqlite3.connect(self.database.removeprefix("sqlite:///"), timeout=10) as connection:
                for statement in statements:
                    connection.execute(statement)
        else:
            with psycopg.connect(self.database) as connection:
                for statement in statements:
                    connection.execute(statement.encode())


@pytest.fixture
def shop(project: Path, server: Server, database: str) -> Iterator[Shop]:
    with httpx.Client(base_url=server.url, headers=authorization(project, server), timeout=15) as client:
        yield Shop(project, database, client)


def payment(invoice: dict[str, Any], **more: Any) -> bytes:
    data = {"invoice_id": invoice["id"], **more}
    return json.dumps({"type": "payment.succeeded", "data": data}).encode()


def test_payment_before_its_invoice_is_applied_later(shop: Shop) -> None:
    invoice, identifier = shop.create(), f"msg_{uuid4().hex}"
    row = f"FROM {shop.table} WHERE customer = '{invoice['customer']}'"
    kept = f"kept_{uuid4().hex}"
    shop.sql(f"CREATE TABLE {kept} AS SELECT * {row}", f"DELETE {row}")
    for _ in range(2):
        assert shop.deliver(payment(invoice), identifier) == {"accepted": True}
    shop.work()
    line = shop.listed(identifier)
    assert re.search(r"pending|parked", line, re.IGNORECASE), line
    shop.sql(f"INSERT INTO {shop.table} SELECT * FROM {kept}", f"DROP TABLE {kept}")  # noqa: S608
    assert shop.status(invoice) == "open"
    event = line.split()[0] if shop.framework == "flask" else identifier
    shop.command("replay", event)
    shop.work()
    assert shop.status(invoice) == "paid"
    assert not re.search(r"pending|parked", shop.listed(identifier), re.IGNORECASE)


def test_payment_for_a_void_invoice_is_visible_and_changes_nothing(shop: Shop) -> None:
    invoice, identifier = shop.create(), f"msg_{uuid4().hex}"
    assert shop.client.post(f"{INVOICES}/{invoice['id']}/void").status_code == 200
    assert shop.deliver(payment(invoice), identifier) == {"accepted": True}
    shop.work()
    assert shop.status(invoice) == "void"
    assert re.search(r"pending|parked", shop.listed(identifier), re.IGNORECASE)


def test_unread_fields_cannot_cause_a_rejection(shop: Shop) -> None:
    half_an_emoji, nested = b'"cut \\ud83d"', b"[" * 500 + b"]" * 500
    invoices = []
    for unread in (half_an_emoji, nested, b'"\\u0000"', b"1e400", b"9" * 5000):
        invoice = shop.create()
        body = payment(invoice, note=0).replace(b'"note": 0', b'"note": ' + unread)
        assert shop.deliver(body, f"msg_{uuid4().hex}") == {"accepted": True}, unread[:20]
        invoices.append(invoice)
        unhandled = b'{"type": "customer.created", "data": {}, "note": %s}' % unread
        assert shop.deliver(unhandled, f"msg_{uuid4().hex}") == {"ignored": True}, unread[:20]
    shop.work()
    assert [shop.status(invoice) for invoice in invoices] == ["paid"] * len(invoices)
