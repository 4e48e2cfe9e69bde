"""How many lists of 50 invoices each kind of Django API answers against a bare view: medians, ratios, PASS or FAIL.

The bare view has no middleware and no API framework; token check, database and server are the generated project's.
Both run all the time and are asked in turn, so that a slow minute of the machine hits both.
"""

import argparse
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import copier
import httpx
import psycopg

ROOT = Path(__file__).parent.parent
ADDRESS = os.environ.get("DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
PATH = "/api/v1/invoices?limit=50"
LIMITS = {"drf": 0.6, "ninja": 0.75}

# Run as a program, it starts the project's own server, only with another application: itself.
BARE = """
import os

if __name__ == "__main__":
    import granian

    start = granian.Granian
    granian.Granian = lambda _, **options: start("bare:application", **options)
    from shop.__main__ import main

    main()
else:
    os.environ["DJANGO_SETTINGS_MODULE"] = "shop.config.settings"
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse, JsonResponse
    from django.urls import path

    settings.MIDDLEWARE = []
    settings.ROOT_URLCONF = __name__
    application = get_wsgi_application()
    from shop.accounts import tokens
    from shop.billing.models import Invoice

    COLUMNS = ("id", "number", "customer", "amount_cents", "currency", "status", "created_at")

    def invoices(request):
        membership = tokens.verify(request.headers["Authorization"].removeprefix("Bearer "))
        if membership is None:
            return HttpResponse(status=401)
        found = Invoice.objects.filter(organization_id=membership.organization_id).order_by("-number")
        return JsonResponse({"items": list(found.values(*COLUMNS)[:50])})

    urlpatterns = [path("api/v1/invoices", invoices)]
"""


@contextmanager
def database() -> Iterator[str]:
    """A new, empty database; dropped at the end."""
    name = f"benchmark_{secrets.token_hex(4)}"
    with psycopg.connect(ADDRESS, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield urlsplit(ADDRESS)._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@contextmanager
def serving(*command: str, folder: Path, environment: dict[str, str]) -> Iterator[int]:
    """A server that is starting, with its log beside `folder`; yields its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with (folder.parent / f"{port}.log").open("wb") as log:
        environment = {**environment, "PORT": str(port)}
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        yield port
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def exchange(connection: socket.socket, message: bytes) -> None:
    """One request and its answer, read without a library, which would take longer where there are more headers."""
    connection.sendall(message)
    head = body = answer = b""
    ended = False
    while not ended:
        received = connection.recv(65536)
        answer += received
        head, _, body = answer.partition(b"\r\n\r\n")
        length = re.search(rb"\r\ncontent-length: (\d+)", head)
        ended = not received or (len(body) >= int(length[1]) if length else body.endswith(b"0\r\n\r\n"))
    if not head.startswith(b"HTTP/1.1 200 ") or not body:
        raise ConnectionError(head.decode() or "no answer")


def per_second(port: int, message: bytes, connections: int, seconds: float) -> float:
    """Requests per second; each connection stays open and asks again as soon as it has its answer."""

    def ask(_: int) -> int:
        count = 0
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            while time.perf_counter() < began + seconds:
                exchange(connection, message)
                count += 1
        return count

    with ThreadPoolExecutor(connections) as threads:
        began = time.perf_counter()
        return sum(threads.map(ask, range(connections))) / (time.perf_counter() - began)


def start(stack: ExitStack, api: str) -> tuple[dict[str, int], bytes]:
    """The ports of both servers, and the request that they answer with the same invoices."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "shop"
    data = {"project_name": "Shop", "framework": "django", "api": api}
    copier.run_copy(str(ROOT), folder, data=data, vcs_ref="HEAD", defaults=True, skip_tasks=True, quiet=True)
    (folder / "bare.py").write_text(BARE)
    drop = {"VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "PYTHONPATH", "UV"}
    environment = {key: value for key, value in os.environ.items() if key not in drop}
    environment |= {"DATABASE_URL": stack.enter_context(database()), "SEED_PASSWORD": secrets.token_urlsafe(16)}
    for recipe in (["setup"], ["seed", "--invoices", "300"]):
        subprocess.run(["uv", "run", "just", *recipe], cwd=folder, env=environment, check=True, stdout=sys.stderr)

    environment |= {"ENVIRONMENT": "production", "DEBUG": "false", "ALLOWED_HOSTS": "127.0.0.1"}
    commands = {"product": ("just", "serve"), "bare": ("python", "bare.py")}
    ports = {
        server: stack.enter_context(serving("uv", "run", *command, folder=folder, environment=environment))
        for server, command in commands.items()
    }
    headers = {"Host": "127.0.0.1", "X-Forwarded-Proto": "https"}  # as from a proxy, where TLS ends
    # With each retry it waits twice as long for the servers to come up.
    with httpx.Client(transport=httpx.HTTPTransport(retries=7), headers=headers, timeout=30) as client:
        form = {"username": "ada@example.com", "password": environment["SEED_PASSWORD"]}
        token = client.post(f"http://127.0.0.1:{ports['product']}/api/v1/auth/token", data=form).json()["access_token"]
        headers["Authorization"] = f"Bearer {token}"
        pages = [client.get(f"http://127.0.0.1:{port}{PATH}", headers=headers) for port in ports.values()]
    product, bare = ([row["id"] for row in page.raise_for_status().json()["items"]] for page in pages)
    if product != bare:
        raise SystemExit("The two servers list different invoices.")
    lines = (f"{name}: {value}" for name, value in headers.items())
    return ports, "\r\n".join([f"GET {PATH} HTTP/1.1", *lines, "", ""]).encode()


def compare(api: str, arguments: argparse.Namespace) -> bool:
    """Whether this kind of API is fast enough, after saying how fast it is."""
    rates: dict[str, list[float]] = {"bare": [], "product": []}
    with ExitStack() as stack:
        ports, message = start(stack, api)
        began, used = time.perf_counter(), time.process_time()
        for number in range(-1, arguments.rounds):
            for server in sorted(rates, reverse=number % 2 == 0):
                rate = per_second(ports[server], message, arguments.connections, arguments.seconds)
                if number >= 0:  # the first round warms up
                    rates[server].append(rate)
        load = (time.process_time() - used) / (time.perf_counter() - began)

    print(f"{api}: {arguments.connections} connections from {load:.0%} of a core")
    for server, measured in rates.items():
        typical, least, most = median(measured), min(measured), max(measured)
        print(f"{server:<8} median {typical:6.1f} requests/s   ({least:.1f} to {most:.1f}, {len(measured)} rounds)")
    ratios = [product / bare for product, bare in zip(rates["product"], rates["bare"], strict=True)]
    ratio = median(ratios)
    limit = LIMITS[api]
    verdict = "PASS" if ratio >= limit else "FAIL"
    print(f"product / bare   {ratio:.2f}   ({min(ratios):.2f} to {max(ratios):.2f})   at least {limit}   {verdict}")
    return ratio >= limit


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=2.0, help="per server and round")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--api", choices=LIMITS, help="one kind only")
    arguments = parser.parse_args()
    kinds = [arguments.api] if arguments.api else list(LIMITS)
    results = [compare(api, arguments) for api in kinds]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
