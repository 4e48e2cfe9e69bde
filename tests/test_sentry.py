"""Sentry: one scrubbed event for each unhandled error, and nothing else; switched on and off by an update."""

import gzip
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import merge
import pytest
import update as engine
from servers import authorization, clean_environment, problem, runs, serving
from support import answers_of, git, rendered_files

FASTAPI_CRASH = """
from fastapi import APIRouter, Request

open_router = APIRouter(prefix="/crash")


@open_router.post("/{name}")
async def crash(name: str, request: Request) -> None:
    secret = (await request.body()).decode()
    raise RuntimeError(f"ada@example.com failed, {len(secret)}")
"""
FLASK_CRASH = """
from apiflask import APIBlueprint
from flask import request

crashes = APIBlueprint("crashes", __name__, url_prefix="/crash")


@crashes.post("/<name>")
def crash(name: str) -> dict[str, str]:
    secret = request.get_data(as_text=True)
    raise RuntimeError(f"ada@example.com failed, {len(secret)}")
"""
DRF_CRASH = """

from django.urls import path
from rest_framework.permissions import AllowAny
from rest_framework.views import APIView


class Crash(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    def post(self, request, name):
        secret = request.data
        raise RuntimeError(f"ada@example.com failed, {len(secret)}")


urlpatterns = [*urlpatterns, path("crash/<name>", Crash.as_view())]
"""
NINJA_CRASH = """

@router.post("crash/{name}", auth=None)
def crash(request: HttpRequest, name: str) -> None:
    secret = request.body
    raise RuntimeError(f"ada@example.com failed, {len(secret)}")
"""
# The file, its text and the path.
CRASHES = {
    "django": ("api.py", DRF_CRASH, "/api/v1/crash"),
    "ninja": ("api.py", NINJA_CRASH, "/api/v1/crash"),
    "fastapi": ("crash_router.py", FASTAPI_CRASH, "/crash"),
    "flask": ("crash_views.py", FLASK_CRASH, "/crash"),
}
# What a request brings and an event must not have, next to what the exception says.
PRIVATE = ["s3cret", "ada@example.com", "bob@example.com", "secret ="]


class Ingest(ThreadingHTTPServer):
    """Sentry's endpoint for events, on a local port. It keeps the items of all envelopes."""

    daemon_threads = True
    items: list[tuple[str, Any]]


class Handler(BaseHTTPRequestHandler):
    server: Ingest

    def do_POST(self) -> None:
        """Keep the items of an envelope: pairs of lines, after its header."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        lines = (gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body).splitlines()
        for header, payload in zip(lines[1::2], lines[2::2], strict=True):
            self.server.items.append((json.loads(header)["type"], json.loads(payload)))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def ingest() -> Iterator[Ingest]:
    with Ingest(("127.0.0.1", 0), Handler) as server:
        server.items = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def switched(project: Path, on: str) -> None:
    source = Path(answers_of(project)["_src_path"])
    engine.update(merge.Template(source, str(source)), project, engine.Request("0.1.0", {"sentry": on}))
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--no-verify", "--message", "Update")


@pytest.fixture(scope="session")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with Sentry's SDK, for projects that were installed without it."""
    folder = tmp_path_factory.mktemp("sdk")
    command = ["uv", "pip", "install", "--quiet", "--target", str(folder), "sentry-sdk~=2.75"]
    subprocess.run(command, env=clean_environment(), check=True)
    return folder


@pytest.mark.parametrize("generated", CRASHES, indirect=True, scope="session")
@pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="session")
def test_unhandled_error_is_one_scrubbed_event(
    request: pytest.FixtureRequest, project: Path, database: str, sdk: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "shop"
    git(tmp_path, "clone", "--quiet", str(project), str(copy))
    (copy / ".git/info/exclude").write_text("/.venv\n")
    (copy / ".venv").symlink_to(project / ".venv")
    (copy / ".env").write_bytes((project / ".env").read_bytes())
    before = rendered_files(copy)
    switched(copy, "true")
    name, source, path = CRASHES[request.node.callspec.params["generated"]]
    crash = copy / "src/shop/items" / name
    original = crash.read_text() if crash.exists() else ""
    crash.write_text(f"{original}{source}")
    paths = {"PYTHONPATH": f"{runs(copy)['PYTHONPATH']}:{sdk}"}
    with ingest() as sentry:
        dsn = f"http://key@127.0.0.1:{sentry.server_port}/7"
        with serving(copy, DATABASE_URL=database, SENTRY_DSN=dsn, **paths) as server:
            token = authorization(project, server)
            items = f"{server.url}/api/v1/items"
            problem(httpx.get(f"{server.url}/api/v1/nowhere", headers=token, timeout=15), 404)
            problem(httpx.get(items, timeout=15), 401)
            problem(httpx.post(items, json={"name": 7}, headers=token, timeout=15), 422)
            failed = httpx.post(
                f"{server.url}{path}/bob@example.com?key=s3cret",
                json={"password": "s3cret"},
                headers={"authorization": "Bearer s3cret", "cookie": "session=s3cret", "user-agent": "s3cret"},
                timeout=15,
            )
            identifier = problem(failed, 500)["request_id"]
            deadline = time.monotonic() + 10
            while not sentry.items and time.monotonic() < deadline:
                time.sleep(0.05)
            assert server.stop() == 0
        kinds = [kind for kind, _ in sentry.items]
        assert kinds == ["event"], sentry.items
        event = sentry.items[0][1]
        assert event["tags"] == {"request_id": identifier}
        assert (event["release"], event["environment"]) == ("shop@0.1.0", "local")
        assert event["exception"]["values"][-1]["value"].startswith("[email] failed, ")
        assert event["request"] == {"method": "POST", "url": f"{server.url}{path}/[email]"}
        del event["exception"]
        assert [word for word in PRIVATE if word in json.dumps(event)] == []
        # Without a DSN, the same server sends nothing and does not import the SDK.
        with serving(copy, DATABASE_URL=database, **runs(copy)) as server:
            problem(httpx.post(f"{server.url}{path}/bob", timeout=15), 500)
        assert len(sentry.items) == 1
    crash.write_text(original) if original else crash.unlink()
    switched(copy, "false")
    assert rendered_files(copy) == before
