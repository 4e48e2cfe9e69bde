"""Slow upstream calls and slow bodies hold no database connection, lock or thread that others need."""

import re
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
from servers import CREDENTIALS, TOKEN, Server, authorization, runs, sent, serving, working_copy
from support import answers_of

pytestmark = pytest.mark.parametrize("generated", ["django", "fastapi", "flask"], indirect=True, scope="session")

ITEMS = "/api/v1/items"
UPSTREAM = f"{ITEMS}/slow/upstream"
# More requests than pooled connections; FastAPI has no threads to count.
POOL_SIZE = 2
WAITING = {"django": 6, "fastapi": 60, "flask": 6}
THREADS = 12

# What the owner of the project would add to a module: a view that calls another service, here one that answers once
# a file is there.
ROUTES = {
    "fastapi": (
        "items/router.py",
        """
import asyncio as _asyncio
import os as _os
import pathlib as _pathlib
import uuid as _uuid

import sqlalchemy as _sqlalchemy

from ..accounts.public import Writer as _Writer
from ..core.database import SessionDependency as _SessionDependency


@router.post("/slow/upstream")
async def slow_upstream(actor: _Writer, session: _SessionDependency) -> dict[str, str]:
    folder = _pathlib.Path(_os.environ["UPSTREAM"])
    (folder / f"{_uuid.uuid4()}.waiting").touch()
    while not (folder / "answered").exists():
        await _asyncio.sleep(0.05)
    await session.execute(_sqlalchemy.text("SELECT 1"))
    return {"status": "answered"}
""",
    ),
    "flask": (
        "items/views.py",
        """
import os as _os
import pathlib as _pathlib
import time as _time
import uuid as _uuid


@blueprint.post("/slow/upstream")
GUARDS
def slow_upstream():
    folder = _pathlib.Path(_os.environ["UPSTREAM"])
    (folder / f"{_uuid.uuid4()}.waiting").touch()
    while not (folder / "answered").exists():
        _time.sleep(0.05)
    return {"status": "answered"}
""",
    ),
    "django": (
        "items/api.py",
        """
import os as _os
import pathlib as _pathlib
import time as _time
import uuid as _uuid

from django.urls import path as _path
from rest_framework.response import Response as _Response
from rest_framework.views import APIView as _APIView


class _SlowUpstreamView(_APIView):
    def post(self, request):
        assert request.user.is_authenticated
        folder = _pathlib.Path(_os.environ["UPSTREAM"])
        (folder / f"{_uuid.uuid4()}.waiting").touch()
        while not (folder / "answered").exists():
            _time.sleep(0.05)
        return _Response({"status": "answered"})


urlpatterns.append(_path("items/slow/upstream", _SlowUpstreamView.as_view()))
""",
    ),
}


def add_route(copy: Path) -> None:
    """Append the view. Flask's requires the same scope as the list."""
    place, source = ROUTES[answers_of(copy)["framework"]]
    path = copy / "src" / "shop" / place
    text = path.read_text()
    first_view = re.search(r"((?:^@.+\n)+)def ", text, re.MULTILINE)
    decorators = first_view[1].splitlines() if first_view else []
    guards = [line for line in decorators if not re.match(r"@blueprint\.(get|input|output|doc)\b", line)]
    path.write_text(text + source.replace("GUARDS\n", "".join(f"{line}\n" for line in guards)))


@contextmanager
def write_lock(database: str) -> Iterator[None]:
    """Take SQLite's write lock from outside the server. Fails if a waiting request holds it."""
    if database.startswith("sqlite"):
        with sqlite3.connect(database.removeprefix("sqlite:///"), timeout=2, isolation_level=None) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")
    else:
        with psycopg.connect(database, autocommit=True) as connection:
            idle = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in %'"
            assert connection.execute(idle).fetchone() == (0,), "a waiting request has a transaction open"
            yield


def test_slow_upstream_holds_no_connection_and_no_lock(project: Path, database: str, tmp_path: Path) -> None:
    copy = working_copy(project, tmp_path / "shop")
    add_route(copy)
    waiting = WAITING[answers_of(project)["framework"]]
    upstream = tmp_path / "upstream"
    upstream.mkdir()
    variables = {"DATABASE_URL": database, "DATABASE_POOL_SIZE": str(POOL_SIZE), "THREADS": str(THREADS)}
    variables |= {"UPSTREAM": str(upstream), "WEB_CONCURRENCY": "1", **runs(copy)}
    with ExitStack() as stack:
        server = stack.enter_context(serving(copy, **variables))
        headers = authorization(project, server)
        limits = httpx.Limits(max_connections=waiting)
        client = stack.enter_context(httpx.Client(base_url=server.url, headers=headers, timeout=40, limits=limits))
        threads = stack.enter_context(ThreadPoolExecutor(waiting))
        stack.callback((upstream / "answered").touch)
        calls = [threads.submit(client.post, UPSTREAM) for _ in range(waiting)]
        wait_until_waiting(upstream, calls)
        assert httpx.get(f"{server.url}{ITEMS}", headers=headers, timeout=4).status_code == 200
        assert httpx.get(f"{server.url}/health/ready", timeout=4).status_code == 200
        with write_lock(database):
            pass
        assert httpx.post(f"{server.url}{TOKEN}", data=CREDENTIALS, timeout=10).status_code == 200
        (upstream / "answered").touch()
        assert [call.result().status_code for call in calls] == [200] * waiting


def wait_until_waiting(upstream: Path, calls: list["Future[httpx.Response]"]) -> None:
    """Return when the views of all calls wait for the upstream."""
    deadline = time.monotonic() + 30
    while len(list(upstream.glob("*.waiting"))) < len(calls):
        answered = [call.result() for call in calls if call.done()]
        assert not answered, f"{len(answered)} were answered before: {answered[0].status_code} {answered[0].text}"
        assert time.monotonic() < deadline, "not every request reached the view"
        time.sleep(0.05)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="session")
def test_incomplete_bodies_do_not_block_other_writes(server: Server) -> None:
    head = f"POST {TOKEN} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    half = f"{head}Content-Length: 100\r\n\r\nuser".encode()
    with ExitStack() as stack:
        for _ in range(2):
            for _ in range(4):
                stack.enter_context(sent(server, half))
            assert httpx.post(f"{server.url}{TOKEN}", data=CREDENTIALS, timeout=10).status_code == 200
