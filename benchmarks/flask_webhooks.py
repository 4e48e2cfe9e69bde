"""10 000 webhooks while the worker of a generated Flask project is killed: each must be applied exactly once.

50 connections post signed events to the production server, each for another invoice; the worker is killed (SIGKILL)
ten times meanwhile. An event that is not answered with 202 is sent again, as a provider does.
"""

import argparse
import base64
import hashlib
import hmac
import http.client
import json
import random
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from serving import Project, generated, production, running

CONNECTIONS = 50
KILLS = 10
PATH = "/webhooks/payments"
# Creates invoices, or reports how often each was paid and the status of the events.
TOOL = """
import json
import sys
from collections import Counter

from sqlalchemy import select

from shop.accounts.models import AuditEntry
from shop.accounts.public import ensure_organization
from shop.billing import services
from shop.extensions import db
from shop.webhooks.models import WebhookEvent
from shop.wsgi import app

with app.app_context():
    if sys.argv[1] == "report":
        paid = Counter(map(str, db.session.scalars(
            select(AuditEntry.target_id).where(AuditEntry.action == "invoice.paid")
        )))
        events = Counter(db.session.scalars(select(WebhookEvent.status)))
        print(json.dumps({"paid": paid, "events": events}))
    else:
        owner = ensure_organization(name="Load", owner_email="load@example.com", password="a long enough password")
        made = [
            services.create_invoice(actor=owner, customer="Load", amount_cents=100, currency="EUR").id
            for _ in range(int(sys.argv[1]))
        ]
        db.session.commit()
        print(json.dumps(list(map(str, made))))
"""


class Sender:
    """A payment provider with one connection."""

    def __init__(self, port: int, key: bytes) -> None:
        self.port, self.key = port, key
        self.again = 0

    def send(self, invoices: list[str]) -> None:
        """Send a payment for each invoice until it is accepted."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        for invoice_id in invoices:
            while not self.accepted(connection, invoice_id):
                self.again += 1
        connection.close()

    def accepted(self, connection: http.client.HTTPConnection, invoice_id: str) -> bool:
        body = json.dumps({"type": "payment.succeeded", "data": {"invoice_id": invoice_id}})
        name, moment = f"msg_{invoice_id}", str(int(time.time()))
        signature = hmac.digest(self.key, f"{name}.{moment}.{body}".encode(), hashlib.sha256)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": name,
            "webhook-timestamp": moment,
            "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
        }
        try:
            connection.request("POST", PATH, body, headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            return False
        return answer.status == http.HTTPStatus.ACCEPTED


def worker(project: Project, *options: str) -> subprocess.Popen[bytes]:
    """Start a worker."""
    command = [
        str(project.folder / ".venv" / "bin" / "python"),
        "-m",
        "flask",
        "--app",
        "shop.wsgi",
        "webhooks",
        "work",
    ]
    environment = {**project.environment, **production()}
    with (project.folder.parent / "worker.log").open("ab") as log:
        return subprocess.Popen([*command, *options], cwd=project.folder, env=environment, stdout=log, stderr=log)


def kill(project: Project) -> int:
    """Start and kill workers one after the other; return how many were killed while they worked."""
    killed = 0
    for _ in range(KILLS):
        process = worker(project)
        with suppress(subprocess.TimeoutExpired):
            # Longer than a worker takes to start.
            process.wait(timeout=random.uniform(3, 6))  # noqa: S311 (no secret)
        killed += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    return killed


def proof(name: str, count: int) -> bool:
    """Run the benchmark on one database; return whether no event was lost and none was applied twice."""
    key = secrets.token_bytes(32)
    with generated({"tool.py": TOOL}, framework="flask", sqlite=name == "sqlite") as project:
        project.environment["WEBHOOK_SECRETS"] = f"whsec_{base64.b64encode(key).decode()}"
        before: dict[str, int] = json.loads(project.run("python", "tool.py", "report"))["paid"]
        invoices: list[str] = json.loads(project.run("python", "tool.py", str(count)))
        with running(project) as (_, port), ThreadPoolExecutor(CONNECTIONS + 1) as pool:
            killing = pool.submit(kill, project)
            senders = [Sender(port, key) for _ in range(CONNECTIONS)]
            began = time.perf_counter()
            list(pool.map(Sender.send, senders, (invoices[each::CONNECTIONS] for each in range(CONNECTIONS))))
            took = time.perf_counter() - began
            killed = killing.result()
            if worker(project, "--drain").wait(timeout=1800):
                raise SystemExit((project.folder.parent / "worker.log").read_text()[-4000:])
        report = json.loads(project.run("python", "tool.py", "report"))
    paid = Counter(report["paid"]) - Counter(before)
    passed = paid == Counter(invoices) and report["events"] == {"done": count} and killed == KILLS
    sent_again = sum(each.again for each in senders)
    print(f"{name}: {count} events in {took:.0f} s, {sent_again} sent again, {killed} workers killed")
    print(f"paid once {sum(each == 1 for each in paid.values())}, more often {sum(each > 1 for each in paid.values())}")
    print(f"events {report['events']}   {'PASS' if passed else 'FAIL'}")
    return passed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--databases", nargs="*", default=["postgresql", "sqlite"], choices=["postgresql", "sqlite"])
    arguments = parser.parse_args()
    results = [proof(name, arguments.events) for name in arguments.databases]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
