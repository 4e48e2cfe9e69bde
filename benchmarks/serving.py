"""Shared by the benchmarks: generated projects on a database of their own, servers, and the load generator."""

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
    """A generated project with demo data and a database of its own."""

    folder: Path
    environment: dict[str, str]
    stack: ExitStack
    headers: dict[str, str] = field(default_factory=lambda: {"Host": "127.0.0.1", "X-Forwarded-Proto": "https"})

    def run(self, *command: str) -> str:
        """Run a command with production settings in the project's environment and return its output.

        The log goes to a file, as a server's does: reading a pipe would use the same processor.
        """
        environment = {**self.environment, **production()}
        with (self.folder.parent / "run.log").open("w+") as log:
            done = subprocess.run(
                ["uv", "run", *command],
                cwd=self.folder,
                env=environment,
                check=False,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
            if done.returncode:
                log.seek(0)
                raise SystemExit(log.read())
        return done.stdout

    def serve(self, **commands: Sequence[str]) -> dict[str, int]:
        """Start servers with production settings and return their ports; they stop with the project."""
        environment = {**self.environment, **production()}
        ports = {
            server: self.stack.enter_context(
                serving("uv", "run", *command, folder=self.folder, environment=environment, logs=self.folder.parent)
            )
            for server, command in commands.items()
        }
        for port in ports.values():
            self.get(port, "/health/live")
        return ports

    def sign_in(self, port: int) -> None:
        """Send an access token with every later request."""
        form = {"username": "ada@example.com", "password": self.environment["SEED_PASSWORD"]}
        url = f"http://127.0.0.1:{port}/api/v1/auth/token"
        token = httpx.post(url, data=form, headers=self.headers, timeout=30).raise_for_status().json()["access_token"]
        self.headers["Authorization"] = f"Bearer {token}"

    def get(self, port: int, path: str) -> httpx.Response:
        return get(port, path, self.headers).raise_for_status()

    def message(self, path: str) -> bytes:
        return request_message(path, self.headers)


def production() -> dict[str, str]:
    # As behind a proxy that ends TLS.
    return {"ENVIRONMENT": "production", "DEBUG": "false", "ALLOWED_HOSTS": "127.0.0.1"}


def get(port: int, path: str, headers: Mapping[str, str]) -> httpx.Response:
    """Send a GET request; wait for a server that is still starting."""
    # Each retry waits twice as long as the one before.
    with httpx.Client(transport=httpx.HTTPTransport(retries=7), headers=headers, timeout=30) as client:
        return client.get(f"http://127.0.0.1:{port}{path}")


def request_message(path: str, headers: Mapping[str, str]) -> bytes:
    """Return a GET request as the bytes to send."""
    lines = (f"{name}: {value}" for name, value in headers.items())
    return "\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode()


@contextmanager
def generated(files: Mapping[str, str], *, sqlite: bool = False, **answers: str) -> Iterator[Project]:
    """Generate a project from HEAD, set it up and seed it on a new database.

    Args:
        files: further files to write into the project, by name.
        sqlite: use SQLite instead of PostgreSQL.
        answers: answers that differ from the defaults.

    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "shop"
        data = {"project_name": "Shop", **answers}
        copier.run_copy(str(ROOT), folder, data=data, vcs_ref="HEAD", defaults=True, skip_tasks=True, quiet=True)
        for name, text in files.items():
            (folder / name).write_text(text)
        url = f"sqlite:///{folder / 'db.sqlite3'}" if sqlite else stack.enter_context(database())
        environment = own_environment() | {"DATABASE_URL": url, "SEED_PASSWORD": secrets.token_urlsafe(16)}
        if sqlite:
            environment["ALLOW_SQLITE"] = "true"
        for recipe in (["setup"], ["seed", "--invoices", "300"]):
            subprocess.run(["uv", "run", "just", *recipe], cwd=folder, env=environment, check=True, stdout=sys.stderr)
        yield Project(folder, environment, stack)


def own_environment() -> dict[str, str]:
    """Return the environment without what would make another project use this repository's packages."""
    drop = {"VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "PYTHONPATH", "UV"}
    return {key: value for key, value in os.environ.items() if key not in drop}


@contextmanager
def database() -> Iterator[str]:
    """Create an empty PostgreSQL database, yield its URL, and drop it at the end."""
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
def serving(*command: str, folder: Path, environment: dict[str, str], logs: Path) -> Iterator[int]:
    """Start a server in `folder`, with its log in a file in `logs`, and yield its port.

    The port is in the environment as PORT, and replaces `{port}` in the command.
    """
    port = free_port()
    command = tuple(part.replace("{port}", str(port)) for part in command)
    with started(command, folder, {**environment, "PORT": str(port)}, logs / f"{port}.log"):
        yield port


@contextmanager
def started(
    command: Sequence[str], folder: Path, environment: dict[str, str], log_path: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process; kill it and all its children at the end."""
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
    """Start the project's production server as one process; yield the process and its port once it answers."""
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
    """Tell whether a response is complete. Parsed by hand: a library would take longer the more headers there are.

    Raises:
        ConnectionError: the response is not a 200 with a body.

    """
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return False
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    if not head.startswith(b"HTTP/1.1 200 ") or (length and length[1] == b"0"):
        raise ConnectionError(answer.decode())
    return len(body) >= int(length[1]) if length else body.endswith(b"0\r\n\r\n")


class Connections(ExitStack):
    """Connections to one server in one thread, each with a request in flight."""

    def __init__(self, port: int, message: bytes) -> None:
        super().__init__()
        self.port, self.message = port, message
        self.waiting = self.enter_context(selectors.DefaultSelector())

    def connect(self) -> None:
        """Open a connection and send the request."""
        connection = self.enter_context(socket.create_connection(("127.0.0.1", self.port), timeout=30))
        self.waiting.register(connection, selectors.EVENT_READ, bytearray())
        connection.sendall(self.message)

    def disconnect(self, connection: socket.socket) -> None:
        self.waiting.unregister(connection)
        connection.close()

    def responses(self) -> Iterator[tuple[socket.socket, bool]]:
        """Wait for data; yield each connection that has a complete response, and whether the server keeps it open.

        Raises:
            ConnectionError: a response is not a 200, or the server closed a connection in use.

        """
        for key, _ in self.waiting.select(timeout=30):
            connection, answer = cast(socket.socket, key.fileobj), key.data
            received = connection.recv(65536)
            if not received:
                raise ConnectionError("The server closed the connection.")
            answer += received
            if is_whole(bytes(answer)):
                keep = b"\r\nconnection: close" not in answer.lower()
                answer.clear()
                yield connection, keep


def per_second(port: int, message: bytes, connections: int, seconds: float) -> float:
    """Measure requests per second; each connection sends the next request once it has the response.

    Waits for the last responses, so that none of the requests is left over for the next measurement.

    Raises:
        ConnectionError: a response is not a 200, or the server closed a connection in use.

    """
    count = 0
    with Connections(port, message) as opened:
        for _ in range(connections):
            opened.connect()
        began = time.perf_counter()
        while time.perf_counter() < began + seconds:
            for connection, keep in opened.responses():
                count += 1
                if keep:
                    connection.sendall(message)
                else:
                    opened.disconnect(connection)
                    opened.connect()
        rate = count / (time.perf_counter() - began)
        while opened.waiting.get_map():
            for connection, _ in opened.responses():
                opened.disconnect(connection)
    return rate


@dataclass(frozen=True)
class Target:
    """A server, and the request to measure it with."""

    port: int
    message: bytes
    connections: int


def measure(targets: Mapping[str, Target], *, rounds: int, seconds: float) -> dict[str, list[float]]:
    """Measure requests per second of each target in every round, and print medians and ranges.

    All targets take their turn in each round, so that a slow period of the machine hits all of them, and every other
    round runs in reverse order. One more round at the start warms up and does not count.
    """
    rates: dict[str, list[float]] = {name: [] for name in targets}
    began, used = time.perf_counter(), time.process_time()
    for number in range(-1, rounds):
        for name in sorted(targets, reverse=number % 2 == 0):
            target = targets[name]
            rate = per_second(target.port, target.message, target.connections, seconds)
            if number >= 0:
                rates[name].append(rate)
    load = (time.process_time() - used) / (time.perf_counter() - began)
    print(f"{rounds} rounds of {seconds:g} s each; the load generator used {load:.0%} of a core")
    width = max(map(len, targets))
    for name, measured in rates.items():
        least, most = min(measured), max(measured)
        print(f"{name:<{width}}  median {median(measured):7.1f} requests/s   ({least:.1f} to {most:.1f})", flush=True)
    return rates


def ratio(rates: Mapping[str, Sequence[float]], ours: str, theirs: str, *, at_least: float | None = None) -> bool:
    """Print the median of the rounds' ratios, with PASS or FAIL; return whether it is `at_least` the limit."""
    ratios = [mine / other for mine, other in zip(rates[ours], rates[theirs], strict=True)]
    passed = at_least is None or median(ratios) >= at_least
    verdict = "" if at_least is None else f"   at least {at_least:g}   {'PASS' if passed else 'FAIL'}"
    print(f"{ours} / {theirs}  {median(ratios):.2f}   ({min(ratios):.2f} to {max(ratios):.2f}){verdict}", flush=True)
    return passed


def options(description: str | None, *, rounds: int, seconds: float) -> argparse.ArgumentParser:
    """Return a parser with the options that every comparison of servers has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--seconds", type=float, default=seconds, help="per server and round")
    parser.add_argument("--connections", type=int, default=8)
    return parser
