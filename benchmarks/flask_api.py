"""What the spine of a generated Flask project costs against bare Flask, and what its threads give: medians and ratios.

The bare application has no hooks and no extensions; token check, query, pool and server are the generated project's. A
thread that waits for another service, which takes 50 ms, does not hold up the others.
"""

import argparse
import sys

from serving import compare, generated, options

LISTED = "/api/v1/invoices?limit=2"
LIVE = "/health/live"
AT_LEAST = {"invoice": 0.75, "live": 0.8, "threads": 10.0}
# More than a process has threads.
CONNECTIONS = 32
GUNICORN = ("--with", "gunicorn", "gunicorn", "--workers", "1", "shop.wsgi:app")

# Run as a program, it starts the project's own server, only with another application: itself.
BARE = """
from datetime import UTC, datetime
from uuid import UUID

from flask import Flask, abort, request
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from shop.accounts.models import Membership, Token, User
from shop.accounts.queries import digest
from shop.billing.models import Invoice
from shop.billing.schemas import InvoiceOut
from shop.core.database import database_url, engine_options
from shop.core.settings import get_settings

settings = get_settings()
engine = create_engine(database_url(settings.database_url), **engine_options(settings.database_url))
app = Flask(__name__)


@app.get("/health/live")
def live():
    return {"status": "ok"}


@app.get("/api/v1/invoices/<uuid:id>")
def invoice(id: UUID):
    token = request.headers["Authorization"].removeprefix("Bearer ")
    good = (
        select(Token, Membership, User)
        .join(Membership, Membership.id == Token.membership_id)
        .join(User, User.id == Membership.user_id)
        .where(Token.token_hash == digest(token), Token.expires_at > datetime.now(UTC), User.is_active)
    )
    with Session(engine) as session, session.begin():
        row = session.execute(good).first()
        if row is None:
            abort(401)
        found = session.get(Invoice, id)
        if found is None or found.organization_id != row[1].organization_id:
            abort(404)
        return InvoiceOut.model_validate(found).model_dump(mode="json")


if __name__ == "__main__":
    from shop import __main__ as server

    Granian = server.Granian
    server.Granian = lambda _, **options: Granian("bare:app", **options)
    server.main()
"""

# Exchange rates, 50 ms after they were asked for; other paths too, so that it is found to be up.
UPSTREAM = """
import asyncio
import os

BODY = b'{"base": "EUR", "date": "2026-11-20", "rates": {"JPY": 163.5}}'
ANSWER = b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n%s" % (len(BODY), BODY)


async def answer(reader, writer):
    try:
        while await reader.readuntil(b"\\r\\n\\r\\n"):
            await asyncio.sleep(0.05)
            writer.write(ANSWER)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main():
    async with await asyncio.start_server(answer, "127.0.0.1", int(os.environ["PORT"])) as server:
        await server.serve_forever()


asyncio.run(main())
"""


def main() -> int:
    arguments = options(__doc__, rounds=20, seconds=1.0).parse_args()
    many = argparse.Namespace(**{**vars(arguments), "connections": CONNECTIONS})
    with generated({"bare.py": BARE, "upstream.py": UPSTREAM}, framework="flask") as project:
        upstream = project.serve(upstream=("python", "upstream.py"))["upstream"]
        project.environment["EXCHANGE_RATES_URL"] = f"http://127.0.0.1:{upstream}"
        ports = project.serve(
            product=("just", "serve"),
            bare=("python", "bare.py"),
            sync=(*GUNICORN, "--worker-class", "sync"),
            gthread=(*GUNICORN, "--worker-class", "gthread", "--threads", "16"),
        )
        results = [compare("GET " + LIVE, ports, project.message(LIVE), arguments, at_least=AT_LEAST["live"])]
        project.sign_in(ports["product"])
        items = project.get(ports["product"], LISTED).json()["items"]
        listed = next(each for each in items if each["currency"] == "EUR")
        path = f"/api/v1/invoices/{listed['id']}"
        if any(project.get(port, path).json() != listed for port in ports.values()):
            raise SystemExit("The servers have different invoices.")
        name = "GET /api/v1/invoices/{id}"
        message = project.message(path)
        results.append(compare(name, ports, message, arguments, at_least=AT_LEAST["invoice"]))
        compare(name, ports, message, arguments, at_least=0, bare="gthread")
        name, message = name + "/converted", project.message(path + "/converted?currency=JPY")
        waiting = compare(name, ports, message, many, at_least=AT_LEAST["threads"], bare="sync", bare_connections=2)
        results.append(waiting)
        compare(name, ports, message, many, at_least=0, bare="gthread")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
