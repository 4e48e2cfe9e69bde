"""Black-box suite for Server-Sent Events, the WebSocket and streamed summaries."""

import base64
import json
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from servers import PASSWORD, TOKEN, Server, problem, serving

pytestmark = pytest.mark.parametrize("generated", ["fastapi"], indirect=True, scope="session")

INVOICES = "/api/v1/invoices"
EVENTS = f"{INVOICES}/events"
SUMMARIES = "/api/v1/summaries"
NEW = {"customer": "Initech", "amount_cents": 12_50, "currency": "EUR"}
RESTART = 1012
# The shutdown timeout of the server.
GRACE_SECONDS = 8.0


@pytest.fixture(scope="session")
def workers(project: Path, database: str) -> Iterator[Server]:
    """The server with two processes."""
    origins = "https://app.example.com"
    with serving(project, DATABASE_URL=database, CORS_ORIGINS=origins, WEB_CONCURRENCY="2") as running:
        yield running


def sign_in(server: Server, username: str) -> httpx.Client:
    answer = httpx.post(f"{server.url}{TOKEN}", data={"username": username, "password": PASSWORD}, timeout=30)
    assert answer.status_code == 200, answer.text
    headers = {"authorization": f"Bearer {answer.json()['access_token']}"}
    return httpx.Client(base_url=server.url, timeout=30, headers=headers)


@pytest.fixture(scope="session")
def ada(workers: Server) -> Iterator[httpx.Client]:
    with sign_in(workers, "ada@example.com") as client:
        yield client


@pytest.fixture(scope="session")
def grace(workers: Server) -> Iterator[httpx.Client]:
    with sign_in(workers, "grace@example.com") as client:
        yield client


def create(client: httpx.Client) -> dict[str, Any]:
    answer = client.post(INVOICES, json=NEW)
    assert answer.status_code == 201, answer.text
    invoice: dict[str, Any] = answer.json()
    return invoice


class Stream:
    """A response with Server-Sent Events, read event by event."""

    def __init__(self, answer: httpx.Response) -> None:
        self.lines = answer.iter_lines()

    def block(self) -> dict[str, str] | None:
        """Return the fields of the next block, or None at the end."""
        fields: dict[str, str] = {}
        for line in self.lines:
            if not line:
                return fields
            name, _, value = line.partition(": ")
            fields[name] = value
        return None

    def event(self) -> dict[str, Any]:
        """Return the data of the next event."""
        while (fields := self.block()) is not None:
            if "data" in fields:
                message: dict[str, Any] = json.loads(fields["data"])
                assert fields["id"] == str(message["id"])
                assert fields["event"] == message["type"]
                return message
        raise AssertionError("the stream has ended")


@contextmanager
def following(client: httpx.Client, last_event_id: int | None = None) -> Iterator[tuple[Stream, int]]:
    """Open a stream. Yield it and its first id."""
    headers = {} if last_event_id is None else {"last-event-id": str(last_event_id)}
    with client.stream("GET", EVENTS, headers=headers) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].split(";")[0] == "text/event-stream"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-request-id"]
        stream = Stream(answer)
        first = stream.block()
        assert first is not None
        yield stream, int(first["id"])


class WebSocket:
    """A minimal WebSocket client that only receives (RFC 6455)."""

    def __init__(self, server: Server, headers: dict[str, str], query: str = "") -> None:
        address = httpx.URL(server.url)
        self.wire = socket.create_connection((address.host, address.port or 80), timeout=30)
        self.file = self.wire.makefile("rb")
        lines = {
            "Host": f"{address.host}:{address.port}",
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            **headers,
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self.wire.sendall(f"GET {EVENTS}/ws{query} HTTP/1.1\r\n{head}\r\n".encode())
        self.status = int(self.file.readline().split()[1])
        raw = iter(lambda: self.file.readline().decode().strip(), "")
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in raw)}

    def body(self) -> dict[str, Any]:
        """Return the problem document of a rejected handshake."""
        document: dict[str, Any] = json.loads(self.file.read(int(self.headers["content-length"])))
        return document

    def frame(self) -> tuple[int, bytes]:
        """Return opcode and payload of the next frame."""
        first, length = self.file.read(2)
        if length == 126:
            (length,) = struct.unpack("!H", self.file.read(2))
        return first & 0x0F, self.file.read(length)

    def event(self) -> dict[str, Any]:
        """Return the next message. Skips pings."""
        opcode, payload = self.frame()
        while opcode == 9:  # a ping
            opcode, payload = self.frame()
        assert opcode == 1
        message: dict[str, Any] = json.loads(payload)
        return message

    def close_code(self) -> int:
        """Return the close code."""
        opcode, payload = self.frame()
        assert opcode == 8
        code: int = struct.unpack("!H", payload[:2])[0]
        return code

    def __enter__(self) -> "WebSocket":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.wire.close()


def token_of(client: httpx.Client) -> dict[str, str]:
    return {"Authorization": client.headers["authorization"]}


def test_events_reach_all_clients_of_the_tenant_in_both_processes(
    workers: Server, ada: httpx.Client, grace: httpx.Client
) -> None:
    # The kernel chooses the process; the chance that eight connections share one is 1 in 128.
    with ExitStack() as stack:
        clients = [stack.enter_context(sign_in(workers, "ada@example.com")) for _ in range(4)]
        streams = [stack.enter_context(following(client))[0] for client in clients]
        sockets = [stack.enter_context(WebSocket(workers, token_of(ada))) for _ in range(4)]
        assert [each.status for each in sockets] == [101] * 4
        create(grace)
        invoice = create(ada)
        assert ada.post(f"{INVOICES}/{invoice['id']}/void").status_code == 200
        seen = [[each.event(), each.event()] for each in streams]
        seen += [[each.event(), each.event()] for each in sockets]
    assert all(each == seen[0] for each in seen)
    created, voided = seen[0]
    assert (created["type"], created["data"]) == ("invoice.created", invoice)
    assert (voided["type"], voided["data"]["status"]) == ("invoice.voided", "void")
    assert voided["id"] == created["id"] + 1


def test_client_resumes_after_its_last_event(workers: Server, ada: httpx.Client) -> None:
    with following(ada) as (_, last_id):
        pass
    missed = [create(ada)["id"] for _ in range(3)]
    with following(ada, last_id) as (stream, begins):
        assert begins == last_id
        assert [stream.event()["data"]["id"] for _ in range(3)] == missed
    with WebSocket(workers, token_of(ada), f"?last_event_id={last_id + 1}") as listener:
        assert [listener.event()["data"]["id"] for _ in range(2)] == missed[1:]


def test_invalid_stream_requests_are_rejected(ada: httpx.Client) -> None:
    for last_event_id, status in (("x", 422), ("-1", 422), ("", 422), ("999999999", 409)):
        problem(ada.get(EVENTS, headers={"last-event-id": last_event_id}), status)
    for headers in ({"authorization": ""}, {"authorization": "Bearer forged"}):
        refused = ada.get(EVENTS, headers=headers)
        problem(refused, 401)
        assert refused.headers["www-authenticate"].startswith("Bearer")
    assert ada.head(EVENTS).status_code == 200
    problem(ada.post(EVENTS), 405)
    problem(ada.get(f"{INVOICES}/no-uuid"), 422)


@pytest.mark.parametrize(
    ("change", "query", "status"),
    [
        ({"Authorization": ""}, "", 401),
        ({"Authorization": "Bearer forged"}, "", 401),
        ({"Sec-WebSocket-Protocol": "bearer, forged"}, "", 401),
        ({"Origin": "https://evil.example"}, "", 403),
        ({"Host": "evil.example"}, "", 400),
        ({}, "?last_event_id=x", 422),
        ({}, "?last_event_id=999999999", 409),
    ],
)
def test_rejected_websocket_gets_a_problem_document(
    change: dict[str, str], query: str, status: int, workers: Server, ada: httpx.Client
) -> None:
    with WebSocket(workers, {**token_of(ada), **change}, query) as refused:
        assert refused.status == status
        assert refused.headers["content-type"] == "application/problem+json"
        document = refused.body()
    assert (document["status"], document["instance"]) == (status, f"{EVENTS}/ws")
    assert document["request_id"] == refused.headers["x-request-id"]


def test_allowed_origin_connects_with_a_subprotocol(workers: Server, ada: httpx.Client) -> None:
    token = token_of(ada)["Authorization"].removeprefix("Bearer ")
    headers = {"Origin": "https://app.example.com", "Sec-WebSocket-Protocol": f"bearer, {token}"}
    with WebSocket(workers, headers) as accepted:
        assert accepted.status == 101
        assert accepted.headers["sec-websocket-protocol"] == "bearer"


def test_summary_is_streamed_token_by_token(ada: httpx.Client) -> None:
    with ada.stream("POST", SUMMARIES, json={"text": "The invoice is late. Nobody has paid it."}) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].split(";")[0] == "text/event-stream"
        stream = Stream(answer)
        blocks = list(iter(stream.block, None))
    assert {block["event"] for block in blocks[:-1]} == {"token"}
    text = "".join(json.loads(block["data"])["text"] for block in blocks[:-1])
    assert text == "The invoice is late. Nobody has paid it."
    assert blocks[-1]["event"] == "done"
    problem(ada.post(SUMMARIES, json={"text": "x" * 20_001}), 422)
    problem(ada.post(SUMMARIES, json={"text": "x"}, headers={"authorization": ""}), 401)


def test_sigterm_closes_streams_and_websockets_in_time(project: Path, database: str) -> None:
    with serving(project, DATABASE_URL=database, WEB_CONCURRENCY="2") as server:
        ended: list[bool] = []
        codes: list[int] = []
        opened = threading.Barrier(41, timeout=30)
        client = sign_in(server, "ada@example.com")

        def stream() -> None:
            with following(client) as (each, _):
                opened.wait()
                ended.append(each.block() is None)

        def listen() -> None:
            with WebSocket(server, token_of(client)) as each:
                opened.wait()
                codes.append(each.close_code())

        threads = [threading.Thread(target=target) for target in (stream, listen) for _ in range(20)]
        for thread in threads:
            thread.start()
        opened.wait()
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < GRACE_SECONDS
        for thread in threads:
            thread.join()
        client.close()
        assert ended == [True] * 20
        assert codes == [RESTART] * 20
        assert "Traceback" not in server.log.read_text()
