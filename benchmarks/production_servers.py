"""Production servers for the same application: granian, uvicorn (FastAPI) and gunicorn with threads (Flask, Django).

Requests per second, then what each does with a client that never finishes its headers
and with more requests at once than it is configured for.
"""

import asyncio
import os
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from serving import Target, generated, get, measure, options, own_environment, ratio, serving

LIVE = "/health/live"
LISTED = "/api/v1/invoices?limit=1"
UVICORN = ("--with", "uvicorn[standard]", "uvicorn", "--port", "{port}")
GRANIAN = ("--with", "granian", "granian", "--port", "{port}", "--interface")
GUNICORN = ("--with", "gunicorn", "gunicorn", "--bind", "127.0.0.1:{port}", "--threads", "16")
WSGI = (*GRANIAN, "wsgi", "--blocking-threads", "16")
# By framework: the commands of the servers.
SERVERS: dict[str, dict[str, tuple[str, ...]]] = {
    "fastapi": {
        "granian": (*GRANIAN, "asgi", "shop.main:app"),
        "uvicorn": (*UVICORN, "--no-access-log", "--no-server-header", "shop.main:app"),
    },
    "flask": {"granian": (*WSGI, "shop.wsgi:app"), "gunicorn": (*GUNICORN, "shop.wsgi:app")},
    "django": {
        "granian": (*WSGI, "shop.config.wsgi:application"),
        "gunicorn": (*GUNICORN, "shop.config.wsgi:application"),
    },
}

# Each response takes 0.2 s and has the highest number of requests in progress so far.
SLOW = """
import asyncio

now = most = 0


async def app(scope, receive, send):
    global now, most
    if scope["type"] != "http":
        return
    now += 1
    most = max(most, now)
    await asyncio.sleep(0 if scope["path"] == "/fast" else 0.2)
    now -= 1
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": b"%4d" % most})
"""
AT_MOST = 50
REQUESTS = 200
HEADER_SECONDS = 5
PATIENCE_SECONDS = 3 * HEADER_SECONDS
LIMITED = {
    "granian": (
        *(*GRANIAN, "asgi", "--no-ws"),
        *("--http1-header-read-timeout", str(1000 * HEADER_SECONDS), "--backpressure", str(AT_MOST), "slow:app"),
    ),
    "uvicorn": (*UVICORN, "--timeout-keep-alive", str(HEADER_SECONDS), "--limit-concurrency", str(AT_MOST), "slow:app"),
}


async def unfinished_headers(port: int) -> float | None:
    """Return after how many seconds the server closes a connection with half a request; None if it does not."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began = time.perf_counter()
    writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
    try:
        await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)
    except TimeoutError:
        return None
    finally:
        writer.close()
    return time.perf_counter() - began


async def status_of(port: int) -> bytes:
    """Send one request on a connection of its own and return the status line, or nothing if there is none."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
    except ConnectionError:
        return b""
    return answer.partition(b"\r\n")[0]


async def many_requests(port: int) -> Counter[bytes]:
    return Counter(await asyncio.gather(*(status_of(port) for _ in range(REQUESTS))))


def limits() -> None:
    """Print what each server does at its limits."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "slow.py").write_text(SLOW)
        for server, command in LIMITED.items():
            run = ("uv", "run", "--no-project", *command)
            with serving(*run, folder=folder, environment=own_environment(), logs=folder) as port:
                get(port, "/fast", {})
                closed = asyncio.run(unfinished_headers(port))
                statuses = asyncio.run(many_requests(port))
                most = get(port, "/fast", {}).text
            answers = ", ".join(f"{number} x {status.decode()!r}" for status, number in statuses.items())
            waited = f"closed after {closed:.0f} s" if closed else f"open after {PATIENCE_SECONDS} s"
            print(f"{server}: half a request {waited}; {REQUESTS} requests at once, limit {AT_MOST}:{most} in progress")
            print(f"    {answers}")


def main() -> int:
    parser = options(__doc__, rounds=10, seconds=2.0)
    parser.add_argument("--only", choices=[*SERVERS, "limits"])
    arguments = parser.parse_args()
    os.environ["WEB_CONCURRENCY"] = "1"
    for framework, commands in SERVERS.items():
        if arguments.only in {None, framework}:
            with generated({}, framework=framework) as project:
                if framework == "django":
                    project.run("python", "manage.py", "collectstatic", "--no-input", "--verbosity", "0")
                ports = project.serve(**commands)
                project.sign_in(ports["granian"])
                (listed,) = project.get(ports["granian"], LISTED).json()["items"]
                for path in (LIVE, f"/api/v1/invoices/{listed['id']}"):
                    print(f"{framework}: GET {path}")
                    message = project.message(path)
                    targets = {name: Target(port, message, arguments.connections) for name, port in ports.items()}
                    rates = measure(targets, rounds=arguments.rounds, seconds=arguments.seconds)
                    ratio(rates, *sorted(ports))
    if arguments.only in {None, "limits"}:
        limits()
    return 0


if __name__ == "__main__":
    sys.exit(main())
