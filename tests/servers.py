"""Generate projects and run their servers, for the black-box suites."""

import base64
import hmac
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import httpx
import psycopg
from support import answers_of, require

POSTGRESQL = "postgresql://postgres@127.0.0.1:5432"
PROBLEM_KEYS = {"type", "title", "status", "detail", "instance", "request_id"}
TOKEN = "/api/v1/auth/token"
PASSWORD = "correct horse battery staple 7"
CREDENTIALS = {"username": "ada@example.com", "password": PASSWORD}
OLD_WEBHOOK_SECRET, WEBHOOK_SECRET = (f"whsec_{base64.b64encode(bytes([n]) * 32).decode()}" for n in (1, 2))
# What production insists on, for a server whose proxy forwards the host name.
PRODUCTION = {
    "ENVIRONMENT": "production",
    "DEBUG": "false",
    "ALLOWED_HOSTS": "shop.example.com",
    "PROXY_HOPS": "1",
    "SECRET_KEY": "a test server's own secret, long enough",
    "WEBHOOK_SECRETS": WEBHOOK_SECRET,
    "EMAIL_URL": "smtp+tls://user:password@mail.example.com:587",
    "EMAIL_FROM": "shop@example.com",
    "PUBLIC_URL": "https://shop.example.com",
}
START_TIMEOUT = 40.0
STOP_TIMEOUT = 15.0


def clean_environment(**variables: str) -> dict[str, str]:
    """Return the environment without variables that affect a generated project, plus `variables`."""
    drop = {"VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "PYTHONPATH", "UV"}
    kept = {key: value for key, value in os.environ.items() if key not in drop and not key.startswith("PYTEST_")}
    # Our own pytest workers use the cores already.
    return {**kept, "PYTEST_XDIST_AUTO_NUM_WORKERS": "1", **variables}


def not_in(*tiers: str) -> None:
    """Fail if the running test is in one of `tiers`, which promise to need less."""
    tier = os.environ.get("PYTEST_TIER", "")
    assert tier not in tiers, f"mark the test `project`, `matrix` or `update`: the tier `{tier}` does not run this"


def copy_project(template: Path, target: Path, answers: dict[str, str], **variables: str) -> str:
    """Copy on the command line with all tasks, and return the output."""
    not_in("fast")
    command = [sys.executable, "-m", "copier", "copy", "--trust", "--defaults", "--vcs-ref", "HEAD"]
    for key, value in {"project_name": "Shop", **answers}.items():
        command += ["-d", f"{key}={value}"]
    result = subprocess.run(
        [*command, str(template), str(target)],
        env=clean_environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def just(project: Path, *recipe: str, **variables: str) -> str:
    """Run a recipe of a generated project and return its output. Raise AssertionError with the output if it fails."""
    not_in("fast")
    result = subprocess.run(
        ["uv", "run", "just", *recipe],
        cwd=project,
        env=clean_environment(**variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, f"just {' '.join(recipe)}:\n{result.stdout[-6000:]}\n{result.stderr[-6000:]}"
    return result.stdout + result.stderr


def working_copy(project: Path, target: Path) -> Path:
    """Copy a generated project to change its files.

    The copy borrows the project's virtual environment: `uv` must not run in it, and its servers need `runs(copy)`.
    """
    shutil.copytree(project, target, ignore=shutil.ignore_patterns(".git", ".venv", "site", ".*_cache"))
    (target / ".venv").symlink_to(project / ".venv")
    return target


def runs(copy: Path) -> dict[str, str]:
    """The variable with which a borrowed virtual environment imports the code of the copy."""
    return {"PYTHONPATH": str(copy / "src")}


@contextmanager
def postgresql_database(name: str) -> Iterator[str]:
    """Create an empty PostgreSQL database with a unique name, yield its URL, and drop it."""
    not_in("fast", "project")
    name = f"{name}_{secrets.token_hex(4)}"
    require(postgresql_answers(), "PostgreSQL does not answer at 127.0.0.1:5432 for user postgres")
    with psycopg.connect(f"{POSTGRESQL}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield f"{POSTGRESQL}/{name}"
        finally:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def postgresql_answers() -> bool:
    try:
        psycopg.connect(f"{POSTGRESQL}/postgres", connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_answers(port: int) -> None:
    """Return once something listens there."""
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=2).close()
        except OSError:
            assert time.monotonic() < deadline, f"nothing listens on port {port}"
            time.sleep(0.05)


@dataclass
class Server:
    """A running server of a generated project."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def stop(self) -> int:
        """Send SIGTERM to the server process, as an orchestrator does, and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=STOP_TIMEOUT)


@contextmanager
def serving(project: Path, **variables: str) -> Iterator[Server]:
    """Run `python -m PACKAGE` of a generated project, as `just serve` does."""
    python = project / ".venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    package = next(path.name for path in (project / "src").iterdir() if (path / "__init__.py").exists())
    with started(project, [str(python), "-m", package], LOG_FORMAT="json", **variables) as server:
        yield server


@contextmanager
def recipe_serving(project: Path, recipe: str, **variables: str) -> Iterator[Server]:
    """Run `just dev` or `just serve`."""
    with started(project, ["uv", "run", "just", recipe], **variables) as server:
        yield server


@contextmanager
def started(project: Path, command: list[str], **variables: str) -> Iterator[Server]:
    """Start a server on a free port in its own process group, and kill the group at the end."""
    port = free_port()
    log = project.parent / f"{project.name}-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=project,
            env=clean_environment(PORT=str(port), **variables),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    server = Server(f"http://127.0.0.1:{port}", process, log)
    try:
        wait_until_live(server)
        yield server
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def refused_start(project: Path, recipe: str = "", **variables: str) -> str:
    """What the server or a recipe of a generated project says instead of starting, without a traceback."""
    server = [str(project / ".venv" / "bin" / "python"), "-m", "shop"]
    process = subprocess.Popen(
        ["uv", "run", "just", recipe] if recipe else server,
        cwd=project,
        env=clean_environment(**{"PORT": str(free_port()), **variables}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=START_TIMEOUT)
    except subprocess.TimeoutExpired:
        raise AssertionError("the server was started") from None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert process.returncode == 1, said
    assert "Traceback" not in said
    return str(said)


def wait_until_live(server: Server) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            if httpx.get(f"{server.url}/health/live", timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"the server did not come up:\n{server.log.read_text()[-4000:]}")


def sent(server: Server, message: bytes) -> socket.socket:
    """A connection over which this went to the server."""
    wire = socket.create_connection(("127.0.0.1", int(server.url.rsplit(":", 1)[1])), timeout=15)
    wire.sendall(message)
    return wire


def has_accounts(project: Path) -> bool:
    """Return whether the project has the users of the template."""
    return "accounts" in answers_of(project)["modules"]


def seed(project: Path, **variables: str) -> None:
    """Create Acme and its owner, with demo data if the project has invoices. Does nothing without accounts."""
    if "billing" in answers_of(project)["modules"]:
        just(project, "seed", SEED_PASSWORD=PASSWORD, **variables)
    elif has_accounts(project):
        owner = ("Acme", CREDENTIALS["username"], "--password", PASSWORD)
        just(project, "flask", "organizations", "create", *owner, **variables)


def authorization(project: Path, server: Server) -> dict[str, str]:
    """Return the Authorization header of Acme's owner, or no header without accounts."""
    if not has_accounts(project):
        return {}
    response = httpx.post(f"{server.url}{TOKEN}", data=CREDENTIALS, timeout=15)
    assert response.status_code == 200, response.text
    return {"authorization": f"Bearer {response.json()['access_token']}"}


def signature(secret: str, identifier: str, timestamp: object, body: bytes) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{identifier}.{timestamp}.".encode() + body, "sha256")
    return f"v1,{base64.b64encode(digest).decode()}"


def headers_for(
    body: bytes, *, secret: str = WEBHOOK_SECRET, identifier: str = "", timestamp: object = None
) -> dict[str, str]:
    """Return the headers that sign a webhook body. Defaults: a new id and the current time."""
    identifier = identifier or f"msg_{uuid4().hex}"
    timestamp = int(time.time()) if timestamp is None else timestamp
    return {
        "content-type": "application/json",
        "webhook-id": identifier,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(secret, identifier, timestamp, body),
    }


def problem(response: httpx.Response, status: int) -> dict[str, Any]:
    """Return the problem document of a response. Assert that it follows RFC 9457 and the contract."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"].split(";")[0] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document.keys() >= PROBLEM_KEYS
    assert document["status"] == status
    assert document["type"]
    assert document["title"]
    assert document["detail"]
    assert unquote(document["instance"]) == response.request.url.path
    assert document["instance"].isascii()
    assert document["request_id"] == response.headers["x-request-id"]
    assert "Traceback" not in response.text
    return document
