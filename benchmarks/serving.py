"""What the benchmarks of generated projects share: a database, servers that are asked in turn, ratios and a verdict."""

import argparse
import os
import re
import secrets
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import cast
from urllib.parse import urlsplit

import copier
import httpx
import psycopg

ROOT = Path(__file__).parent.parent
ADDRESS = os.environ.get("DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/postgres")


@dataclass
class Project:
    """A generated project with demo data, on a database of its own."""

    folder: Path
    environment: dict[str, str]
    stack: ExitStack
    headers: dict[str, str] = field(default_factory=lambda: {"Host": "127.0.0.1", "X-Forwarded-Proto": "https"})

    def run(self, *command: str) -> str:
        """What a command prints that runs in the project's environment, with production settings.

        Its log goes to a file, as that of a server does: who reads a pipe takes of the same processor.
        """
        command = ("uv", "run", *command)
        environment = {**self.environment, **production()}
        with (self.folder.parent / "run.log").open("w+") as log:
            done = subprocess.run(
                command, cwd=self.folder, env=environment, check=False, stdout=subprocess.PIPE, stderr=log, text=True
            )
            if done.returncode:
                log.seek(0)
                raise SystemExit(log.read())
        return done.stdout

    def serve(self, **commands: Sequence[str]) -> dict[str, int]:
        """The ports of servers with production settings, each of which answers; they end with the project."""
        environment = {**self.environment, **production()}
        ports = {
            server: self.stack.enter_context(
                serving("uv", "run", *command, folder=self.folder, environment=environment)
            )
            for server, command in commands.items()
        }
        for port in ports.values():
            self.get(port, "/health/live")
        return ports

    def sign_in(self, port: int) -> None:
        """Ask with an access token from now on."""
        form = {"username": "ada@example.com", "password": self.environment["SEED_PASSWORD"]}
        url = f"http://127.0.0.1:{port}/api/v1/auth/token"
        token = httpx.post(url, data=form, headers=self.headers, timeout=30).raise_for_status().json()["access_token"]
        self.headers["Authorization"] = f"Bearer {token}"

    def get(self, port: int, path: str) -> httpx.Response:
        # With each retry it waits twice as long for the server to come up.
        with httpx.Client(transport=httpx.HTTPTransport(retries=7), headers=self.headers, timeout=30) as client:
            return client.get(f"http://127.0.0.1:{port}{path}").raise_for_status()

    def message(self, path: str) -> bytes:
        """The request for `path`, as it goes over the wire."""
        lines = (f"{name}: {value}" for name, value in self.headers.items())
        return "\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode()


def production() -> dict[str, str]:
    # As behind a proxy, where TLS ends.
    return {"ENVIRONMENT": "production", "DEBUG": "false", "ALLOWED_HOSTS": "127.0.0.1"}


@contextmanager
def generated(files: Mapping[str, str], *, sqlite: bool = False, **answers: str) -> Iterator[Project]:
    """A project of HEAD with `answers` and more files, set up and seeded on a database of its own, of PostgreSQL's."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "shop"
        data = {"project_name": "Shop", **answers}
        copier.run_copy(str(ROOT), folder, data=data, vcs_ref="HEAD", defaults=True, skip_tasks=True, quiet=True)
        for name, text in files.items():
            (folder / name).write_text(text)
        drop = {"VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "PYTHONPATH", "UV"}
        environment = {key: value for key, value in os.environ.items() if key not in drop}
        url = f"sqlite:///{folder / 'db.sqlite3'}" if sqlite else stack.enter_context(database())
        environment |= {"DATABASE_URL": url, "SEED_PASSWORD": secrets.token_urlsafe(16)}
        for recipe in (["setup"], ["seed", "--invoices", "300"]):
            subprocess.run(["uv", "run", "just", *recipe], cwd=folder, env=environment, check=True, stdout=sys.stderr)
        yield Project(folder, environment, stack)


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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(*command: str, folder: Path, environment: dict[str, str]) -> Iterator[int]:
    """A server that is starting, with its log beside `folder`; yields its port."""
    port = free_port()
    with started(command, folder, {**environment, "PORT": str(port)}, folder.parent / f"{port}.log"):
        yield port


@contextmanager
def started(
    command: Sequence[str], folder: Path, environment: dict[str, str], log_path: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A process, which ends with all that it started."""
    with log_path.open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        yield process
    finally:
        # It may have ended already.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def running(project: Project) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The production server of `project` as one process, which answers, and its port."""
    port = free_port()
    environment = {**project.environment, **production(), "PORT": str(port)}
    log_path = project.folder.parent / "server.log"
    command = [str(project.folder / ".venv" / "bin" / "python"), "-m", "shop"]
    with started(command, project.folder, environment, log_path) as process:
        try:
            project.get(port, "/health/live")
            yield process, port
        except BaseException:
            print(log_path.read_text()[-4000:], file=sys.stderr)
            raise


def is_whole(answer: bytes) -> bool:
    """Whether all of an answer is there, found out without a library, which would take longer with more headers.

    Raises:
        ConnectionError: it is another one than 200 with a body.

    """
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return False
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    if not head.startswith(b"HTTP/1.1 200 ") or (length and length[1] == b"0"):
        raise ConnectionError(answer.decode())
    return len(body) >= int(length[1]) if length else body.endswith(b"0\r\n\r\n")


def per_second(port: int, message: bytes, connections: int, seconds: float) -> float:
    """Requests per second; each connection asks again as soon as it has its answer, or a new one where it is closed.

    One thread looks after all of them, so that the load costs less than what it asks for.
    """
    count = 0
    with ExitStack() as stack:
        waiting = stack.enter_context(selectors.DefaultSelector())

        def ask() -> None:
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
            waiting.register(connection, selectors.EVENT_READ, bytearray())
            connection.sendall(message)

        for _ in range(connections):
            ask()
        began = time.perf_counter()
        while time.perf_counter() < began + seconds:
            for key, _ in waiting.select(timeout=30):
                connection, answer = cast(socket.socket, key.fileobj), key.data
                received = connection.recv(65536)
                if not received:
                    raise ConnectionError("The server closed the connection.")
                answer += received
                if is_whole(bytes(answer)):
                    count += 1
                    if b"\r\nconnection: close" in answer.lower():
                        waiting.unregister(connection)
                        connection.close()
                        ask()
                    else:
                        answer.clear()
                        connection.sendall(message)
        return count / (time.perf_counter() - began)


def options(description: str | None, *, rounds: int, seconds: float) -> argparse.ArgumentParser:
    """The options that every comparison of servers has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--seconds", type=float, default=seconds, help="per server and round")
    parser.add_argument("--connections", type=int, default=8)
    return parser


def compare(  # noqa: PLR0913 (what is asked, and what is compared)
    name: str,
    ports: Mapping[str, int],
    message: bytes,
    arguments: argparse.Namespace,
    *,
    at_least: float,
    bare: str = "bare",
    bare_connections: int | None = None,
) -> bool:
    """Whether the product answers `at_least` so many times as many requests as the other server; prints how many.

    They are asked in turn, so that a slow minute of the machine hits both. One that takes a request at a time gets
    `bare_connections`: what waits at the end of a round would be answered in the next one.
    """
    connections = {bare: bare_connections or arguments.connections, "product": arguments.connections}
    rates: dict[str, list[float]] = {bare: [], "product": []}
    began, used = time.perf_counter(), time.process_time()
    for number in range(-1, arguments.rounds):
        for server in sorted(rates, reverse=number % 2 == 0):
            rate = per_second(ports[server], message, connections[server], arguments.seconds)
            if number >= 0:  # the first round warms up
                rates[server].append(rate)
    load = (time.process_time() - used) / (time.perf_counter() - began)

    print(f"{name}: {arguments.connections} connections from {load:.0%} of a core")
    for server, measured in rates.items():
        typical, least, most = median(measured), min(measured), max(measured)
        print(f"{server:<8} median {typical:7.1f} requests/s   ({least:.1f} to {most:.1f}, {len(measured)} rounds)")
    ratios = [ours / theirs for ours, theirs in zip(rates["product"], rates[bare], strict=True)]
    ratio = median(ratios)
    verdict = "PASS" if ratio >= at_least else "FAIL"
    print(
        f"product / {bare:<8} {ratio:.2f}   ({min(ratios):.2f} to {max(ratios):.2f})   at least {at_least}   {verdict}"
    )
    return ratio >= at_least
