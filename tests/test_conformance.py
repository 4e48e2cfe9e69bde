"""Black-box suite for the core, the same for the running servers of all frameworks."""

import http.client
import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import urlencode

import httpx
import psycopg
import pytest
from servers import (
    CREDENTIALS,
    TOKEN,
    Server,
    authorization,
    has_accounts,
    just,
    postgresql_database,
    problem,
    seed,
    sent,
    serving,
)
from support import FLAVOURS, answers_of, require

pytestmark = pytest.mark.parametrize(
    "generated",
    # Pages do not change the core, and have their own suite.
    [name for name, flavour in FLAVOURS.items() if "pages" not in flavour],
    indirect=True,
    scope="session",
)

UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
PLACES = ("/health/live", "/openapi.json", "/docs", "/redoc", "/api/v1/items", "/nowhere", "/")


@pytest.fixture
def client(project: Path, server: Server) -> Iterator[httpx.Client]:
    """A client, signed in if the project has accounts."""
    with httpx.Client(base_url=server.url, timeout=15, headers=authorization(project, server)) as session:
        yield session


def test_liveness_has_no_checks(client: httpx.Client) -> None:
    response = client.get("/health/live")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_readiness_lists_its_checks(client: httpx.Client) -> None:
    response = client.get("/health/ready")
    assert (response.status_code, response.json()["status"]) == (200, "ok")
    assert response.json()["checks"]["database"] == "ok"
    assert set(response.json()["checks"].values()) == {"ok"}


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_health_accepts_any_host(client: httpx.Client, path: str) -> None:
    assert client.get(path, headers={"host": "10.1.2.3:8000"}).status_code == 200
    assert client.head(path).status_code == 200


def test_unknown_host_is_rejected(client: httpx.Client) -> None:
    problem(client.get("/api/v1/items", headers={"host": "evil.example.com"}), 400)


def test_contract_is_openapi_31_and_documents_errors(client: httpx.Client) -> None:
    response = client.get("/openapi.json")
    assert response.status_code == 200
    document = response.json()
    assert document["openapi"].startswith("3.1")
    operations = [each for path in document["paths"].values() for each in path.values() if isinstance(each, dict)]
    identifiers = [operation["operationId"] for operation in operations]
    assert len(identifiers) == len(set(identifiers)) >= 3
    listing = document["paths"]["/api/v1/items"]["get"]
    assert "application/problem+json" in listing["responses"]["422"]["content"]
    assert "application/problem+json" in document["paths"]["/health/ready"]["get"]["responses"]["503"]["content"]


def test_committed_contract_matches_the_server(client: httpx.Client, project: Path) -> None:
    assert client.get("/openapi.json").json() == json.loads((project / "docs" / "openapi.json").read_text())


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_api_pages_use_only_own_assets(client: httpx.Client, project: Path, path: str) -> None:
    page = client.get(path, follow_redirects=True)
    if path == "/redoc" and answers_of(project)["framework"] != "fastapi":
        # FastAPI alone brings ReDoc.
        assert page.status_code == 404
        return
    assert page.status_code == 200
    assets = re.findall(r'(?:src|href)="([^"#]+)"', page.text)
    assert any(asset.endswith(".js") or ".js?" in asset for asset in assets)
    for asset in assets:
        if not asset.startswith("data:"):
            assert not re.match(r"(https?:)?//", asset), f"{path} loads {asset}"
            assert client.get(asset).status_code == 200, asset
    policy = page.headers["content-security-policy"]
    directives = {part.split()[0]: part.split()[1:] for part in policy.split(";")}
    scripts = " ".join(directives.get("script-src", directives["default-src"]))
    assert "unsafe-inline" not in scripts
    assert "unsafe-eval" not in policy
    if re.search(r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")[^>]*>", page.text):
        assert "nonce-" in scripts


@pytest.mark.parametrize("path", ["/api/v1/nothing", f"/api/v1/items/{UNKNOWN_ID}", "/health/", "/api/%00"])
def test_unknown_api_path_is_a_404_problem(client: httpx.Client, path: str) -> None:
    problem(client.get(path), 404)


@pytest.mark.parametrize("path", ["/nowhere", "/%00"])
def test_unknown_path_is_a_404(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/health/live", "/api/v1/items", "/openapi.json"])
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_unsupported_method_returns_405_with_allow(client: httpx.Client, method: str, path: str) -> None:
    response = client.request(method, path)
    problem(response, 405)
    assert "GET" in response.headers["allow"]


@pytest.mark.parametrize("limit", ["0", "101", "-1", "many", ""])
def test_invalid_parameter_returns_422_with_pointer(client: httpx.Client, limit: str) -> None:
    document = problem(client.get("/api/v1/items", params={"limit": limit}), 422)
    assert document["errors"]
    assert all(error.keys() == {"pointer", "detail"} and error["detail"] for error in document["errors"])
    assert any(error["pointer"].endswith("limit") for error in document["errors"])


def test_malformed_id_is_rejected(client: httpx.Client) -> None:
    response = client.get("/api/v1/items/not-a-uuid")
    problem(response, response.status_code)
    assert response.status_code in {404, 422}


def test_list_is_empty_at_first(client: httpx.Client) -> None:
    response = client.get("/api/v1/items", params={"limit": 1})
    assert (response.status_code, response.json()["items"]) == (200, [])


@pytest.mark.parametrize("chunked", [False, True])
def test_body_over_the_limit_is_rejected(client: httpx.Client, chunked: bool) -> None:
    megabyte = b"x" * (1024 * 1024)
    content = iter([megabyte, b"x"]) if chunked else megabyte + b"x"
    response = client.post("/api/v1/items", content=content, headers={"content-type": "application/json"})
    # A server may return 405 before it reads the body.
    problem(response, response.status_code)
    assert response.status_code in {405, 413}


@pytest.mark.parametrize("path", PLACES)
def test_responses_have_request_id_and_security_headers(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    assert re.fullmatch(r"[A-Za-z0-9._-]{8,}", headers["x-request-id"])
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"]
    assert "default-src" in headers["content-security-policy"]


def test_valid_request_id_is_kept(client: httpx.Client) -> None:
    sent = "trace-42.a_B"
    response = client.get("/api/v1/nothing", headers={"x-request-id": sent})
    assert response.headers["x-request-id"] == sent
    assert problem(response, 404)["request_id"] == sent


@pytest.mark.parametrize("sent", ["", "a b", "x" * 300, '"}<script>', "ünïcode".encode()])
def test_invalid_request_id_is_replaced(client: httpx.Client, sent: str | bytes) -> None:
    headers = [(b"x-request-id", sent if isinstance(sent, bytes) else sent.encode())]
    assert client.get("/health/live", headers=headers).headers["x-request-id"] not in {sent, ""}


def test_cors_allows_only_configured_origins(client: httpx.Client) -> None:
    ask = {"access-control-request-method": "GET"}
    known = client.options("/api/v1/items", headers={"origin": "https://app.example.com", **ask})
    assert known.status_code in {200, 204}
    assert known.headers["access-control-allow-origin"] == "https://app.example.com"
    answer = client.get("/api/v1/items", headers={"origin": "https://app.example.com"})
    assert answer.headers["access-control-allow-origin"] == "https://app.example.com"
    other = client.get("/api/v1/items", headers={"origin": "https://evil.example.com"})
    assert "access-control-allow-origin" not in other.headers


def test_server_survives_malformed_http(server: Server, client: httpx.Client) -> None:
    for garbage in (
        b"NONSENSE\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"\x16\x03\x01\x00",
    ):
        with sent(server, garbage):
            pass
    assert client.get("/health/live").status_code == 200


def test_slow_bodies_do_not_block_other_requests(server: Server, client: httpx.Client) -> None:
    head = b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(sent(server, head % TOKEN.encode()))
        assert client.get("/health/live").status_code == 200


def test_incomplete_body_is_rejected(project: Path, server: Server) -> None:
    require(has_accounts(project), "nobody can sign in")
    form = urlencode(CREDENTIALS).encode()
    head = f"POST {TOKEN} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    whole, half = ((head + f"Content-Length: {len(form) + more}\r\n\r\n").encode() + form for more in (0, 9))
    with sent(server, whole) as wire:
        assert wire.recv(65536)[9:12] == b"200"
    with sent(server, half) as wire:
        # Until a view waits for the rest; a server may drop a connection that closes earlier.
        time.sleep(0.3)
        wire.shutdown(socket.SHUT_WR)
        assert wire.recv(65536)[9:12] in {b"400", b""}


def test_log_lines_are_json_and_describe_requests(server: Server, client: httpx.Client) -> None:
    client.get("/api/v1/items?secret=hidden", headers={"x-request-id": "look-for-me"})
    # The server writes the log line after the response.
    deadline = time.monotonic() + 5
    while '"look-for-me"' not in server.log.read_text() and time.monotonic() < deadline:
        time.sleep(0.05)
    lines = [json.loads(line) for line in server.log.read_text().splitlines(keepends=True) if line.endswith("\n")]
    (found,) = [line for line in lines if line.get("request_id") == "look-for-me" and line["event"] == "request"]
    assert (found["method"], found["path"], found["status"]) == ("GET", "/api/v1/items", 200)
    assert found["duration_ms"] >= 0
    assert all({"timestamp", "level", "event"} <= line.keys() for line in lines)
    assert "hidden" not in json.dumps(found)


def test_connection_is_kept_after_a_response_without_the_body(server: Server) -> None:
    # A proxy sends the body late, and reuses the connection.
    host, port = server.url.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    connection.putrequest("POST", "/api/v1/nowhere")
    connection.putheader("Content-Length", "16")
    connection.endheaders()
    time.sleep(0.3)
    connection.send(b"x" * 16)
    with closing(connection):
        assert connection.getresponse().read()
        connection.request("GET", "/health/live")
        assert connection.getresponse().status == 200


@pytest.mark.parametrize("database", ["postgresql"], indirect=True, scope="session")
def test_schemathesis_finds_no_errors(project: Path, server: Server, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/openapi.json", "--max-examples=20"]
    headers = [f"--header={name}: {value}" for name, value in authorization(project, server).items()]
    # Wrong passwords would lock the account, and signing out would end the token.
    apart = ["--exclude-path=/api/v1/me/password", "--exclude-path=/api/v1/me/sign-out"]
    options = ["--checks=all", "--seed=1", "--no-color", *apart, *headers]
    contract = (project / "docs" / "openapi.json").read_text()
    # A token of a mail is well formed and wrong; most streams are silent, so they are read for a moment.
    refused = '[operations.checks.positive_data_acceptance]\nexpected-statuses = ["2xx", "401", "403", "422", "429"]'
    special = {
        "/api/v1/invoices/events": "request-timeout = 0.5",
        "/api/v1/auth/password-reset/confirm": refused,
    }
    there = {path: lines for path, lines in special.items() if f'"{path}"' in contract}
    (tmp_path / "schemathesis.toml").write_text(
        "\n".join(f'[[operations]]\ninclude-path = "{path}"\n{lines}' for path, lines in there.items())
    )
    result = subprocess.run([*command, *options], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-6000:]


def test_unhandled_error_returns_500_without_traceback(project: Path) -> None:
    url = f"sqlite:///{(project.parent / 'never-migrated.sqlite3').as_posix()}"
    with serving(project, DATABASE_URL=url) as running:
        headers = {"x-request-id": "broken-1"}
        if has_accounts(project):
            response = httpx.post(f"{running.url}{TOKEN}", timeout=15, headers=headers, data=CREDENTIALS)
        else:
            response = httpx.get(f"{running.url}/api/v1/items", timeout=15, headers=headers)
        document = problem(response, 500)
        assert "items" not in document["detail"]
        assert response.headers["x-content-type-options"] == "nosniff"
        failures = [json.loads(line) for line in running.log.read_text().splitlines() if "Traceback" in line]
        assert any(line["request_id"] == "broken-1" for line in failures)


def test_missing_database_fails_readiness_not_liveness(project: Path) -> None:
    with serving(project, DATABASE_URL="postgresql://postgres@127.0.0.1:1/gone") as running:
        response = httpx.get(f"{running.url}/health/ready", timeout=15)
        document = problem(response, 503)
        assert document["checks"]["database"] == "failed"
        assert "database" in document["detail"]
        assert httpx.get(f"{running.url}/health/live", timeout=5).status_code == 200


@pytest.mark.matrix
def test_connections_that_broke_fail_at_most_a_request_each(project: Path) -> None:
    with postgresql_database("conformance_broken") as url, psycopg.connect(url, autocommit=True) as other:
        just(project, "migrate", DATABASE_URL=url)
        with serving(project, DATABASE_URL=url) as running:
            ready = f"{running.url}/health/ready"
            assert httpx.get(ready, timeout=15).status_code == 200
            broken = other.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchall()
            statuses = [httpx.get(ready, timeout=15).status_code for _ in range(len(broken) + 1)]
            assert set(statuses) <= {200, 503}
            assert statuses[-1] == 200


@pytest.mark.matrix
def test_sigterm_finishes_open_requests(project: Path) -> None:
    with postgresql_database("conformance_term") as url, psycopg.connect(url) as lock:
        just(project, "migrate", DATABASE_URL=url)
        seed(project, DATABASE_URL=url)
        tables = lock.execute("SELECT tablename FROM pg_tables WHERE tablename LIKE 'items%'").fetchall()
        answers: list[httpx.Response] = []
        with serving(project, DATABASE_URL=url) as running:
            headers = authorization(project, running)
            lock.execute(f'LOCK TABLE "{tables[0][0]}" IN ACCESS EXCLUSIVE MODE')
            thread = threading.Thread(
                target=lambda: answers.append(httpx.get(f"{running.url}/api/v1/items", timeout=20, headers=headers))
            )
            thread.start()
            wait_for_lock(url)
            threading.Timer(1.0, lock.rollback).start()
            assert running.stop() == 0
            thread.join()
        assert answers[0].status_code == 200


def wait_for_lock(url: str) -> None:
    """Return when a connection waits for a database lock."""
    with psycopg.connect(url, autocommit=True) as watcher:
        for _ in range(200):
            if watcher.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone():
                return
            watcher.execute("SELECT pg_sleep(0.05)")
    raise AssertionError("no request reached the database")


def test_production_does_not_start_with_invalid_settings(project: Path) -> None:
    variables = {"ENVIRONMENT": "production", "SECRET_KEY": "change-me", "ALLOWED_HOSTS": "*", "DEBUG": "true"}
    with pytest.raises(AssertionError) as refusal, serving(project, **variables):
        pass
    for name in ("SECRET_KEY", "ALLOWED_HOSTS", "DEBUG"):
        assert f"- {name}: " in str(refusal.value)
    assert "Traceback" not in str(refusal.value)
    assert "change-me" not in str(refusal.value)
