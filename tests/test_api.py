"""Black-box suite for the API of the example, the same for the running servers of all frameworks.

Where the design leaves an answer open, only its class is asserted.
"""

import base64
import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import jsonschema_rs
import pytest
from servers import OLD_WEBHOOK_SECRET, PASSWORD, TOKEN, Server, headers_for, just, problem, signature
from support import FLAVOURS, answers_of

FOREIGN_SECRET = f"whsec_{base64.b64encode(bytes([3]) * 32).decode()}"

pytestmark = pytest.mark.parametrize(
    "generated",
    # Pages do not change the API, and a wrapper has no invoices.
    [name for name, flavour in FLAVOURS.items() if flavour.keys().isdisjoint({"pages", "purpose"})],
    indirect=True,
    scope="session",
)

INVOICES = "/api/v1/invoices"
WEBHOOK = "/webhooks/payments"
# All other operations need a token or a signature.
PUBLIC = {"GET /health/live", "GET /health/ready", f"POST {TOKEN}"}
# The token of a mail, or an address, stands for an access token.
BY_MAIL = {
    "POST /api/v1/invitations/accept",
    "POST /api/v1/auth/password-reset",
    "POST /api/v1/auth/password-reset/confirm",
}
# What the operations that change a row take.
VALUES = {"name": "Forged", "role": "viewer"}
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
FIELDS = {"id", "number", "customer", "amount_cents", "currency", "status", "created_at"}
VALID = {"customer": "Initech", "amount_cents": 12_50, "currency": "EUR"}
MEGABYTE = 1024 * 1024
# A server that does not read the whole body closes the connection, possibly during the next request.
LAST = {"connection": "close"}

MALFORMED = {
    "nothing": b"",
    "half": b'{"customer": "Initech", "amount_cents"',
    "garbage": b"customer=Initech",
    "not UTF-8": b'{"customer": "\xff\xfe", "amount_cents": 1, "currency": "EUR"}',
    "null": b"null",
    "a list": b"[]",
    "a text": b'"invoice"',
    "not a number": b'{"customer": "Initech", "amount_cents": NaN, "currency": "EUR"}',
    "infinite": b'{"customer": "Initech", "amount_cents": 1e400, "currency": "EUR"}',
    "5000 digits": b'{"customer": "Initech", "amount_cents": %s, "currency": "EUR"}' % (b"9" * 5000),
    "deep": b'{"customer": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
}

# A field and its invalid values; `...` omits the field.
INVALID: dict[str, list[Any]] = {
    "customer": [..., None, "", "   ", 7, True, [], {}, "a\0b", "a\ud800b", "x" * 100_000],
    "amount_cents": [..., None, 0, -1, 1.5, "100", "", True, [], 2**63, 10**30],
    "currency": [..., None, "", "ABC", "EURO", 978, ["EUR"], "EU\0", "\ud800"],
    "status": ["paid"],
    "id": [UNKNOWN_ID],
    "number": [1],
    "extra": [None],
}

INVALID_QUERIES = {
    "limit": ["0", "101", "-1", "1.5", "many", "", "9" * 30, "1\0", "1²"],
    "cursor": ["x", "!!!", "AAAA", "1", "-1", "a" * 2000, "\0", "é", "W10", "bnVsbA=="],
    "status": ["unknown", "OPEN", "open,paid", "\0", "ö"],
}


@pytest.fixture(scope="session")
def anybody(server: Server) -> Iterator[httpx.Client]:
    """A client without a token."""
    with httpx.Client(base_url=server.url, timeout=30) as session:
        yield session


@pytest.fixture(scope="session")
def ada(server: Server, anybody: httpx.Client) -> Iterator[httpx.Client]:
    """The owner of Acme."""
    with signed_in(server, anybody, "ada@example.com") as session:
        yield session


@pytest.fixture(scope="session")
def grace(server: Server, anybody: httpx.Client) -> Iterator[httpx.Client]:
    """The owner of Globex."""
    with signed_in(server, anybody, "grace@example.com") as session:
        yield session


@pytest.fixture(scope="session")
def contract(anybody: httpx.Client) -> dict[str, Any]:
    document: dict[str, Any] = anybody.get("/openapi.json").json()
    return document


@pytest.fixture(scope="session")
def settle(project: Path, database: str) -> Callable[[], None]:
    """Return a function that applies all stored webhooks. Flask's worker does that, the others do it at once."""

    def work() -> None:
        if answers_of(project)["framework"] == "flask":
            just(project, "work", "--drain", DATABASE_URL=database)

    return work


def pairs(values: dict[str, list[Any]]) -> list[tuple[str, Any]]:
    """Yield each name with each of its values."""
    return [(name, value) for name, each in values.items() for value in each]


def sign_in(client: httpx.Client, username: str, password: str) -> httpx.Response:
    return client.post(TOKEN, data={"grant_type": "password", "username": username, "password": password})


def signed_in(server: Server, client: httpx.Client, username: str) -> httpx.Client:
    response = sign_in(client, username, PASSWORD)
    assert response.status_code == 200, response.text
    headers = {"authorization": f"Bearer {response.json()['access_token']}"}
    return httpx.Client(base_url=server.url, timeout=30, headers=headers)


def token_of(client: httpx.Client) -> str:
    return client.headers["authorization"].removeprefix("Bearer ")


def resolved(contract: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """Return a node of the contract with its reference resolved."""
    while "$ref" in node:
        target: Any = contract
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def allowed(contract: dict[str, Any], schema: dict[str, Any]) -> set[str]:
    """Return the enum values of a schema, including those in references and alternatives."""
    schema = resolved(contract, schema)
    nested = [each for key in ("allOf", "anyOf", "oneOf") for each in schema.get(key, ())]
    return set(schema.get("enum", ())).union(*(allowed(contract, each) for each in nested))


def operations(contract: dict[str, Any]) -> list[tuple[str, str]]:
    """Yield method and path of every operation."""
    return [(method.upper(), path) for path, item in contract["paths"].items() for method in METHODS if method in item]


def at(path: str, identifier: str) -> str:
    """Return a path of the contract with all parameters filled in."""
    return re.sub(r"\{[^}]+\}", identifier, path)


def refused(contract: dict[str, Any], response: httpx.Response, *statuses: int) -> dict[str, Any]:
    """Return the problem document of a response. Assert its status and that the contract documents it."""
    assert response.status_code in statuses, response.text
    path, paths = response.request.url.path, contract["paths"]
    item = paths.get(path) or next(paths[each] for each in paths if re.fullmatch(at(each, "[^/]+"), path))
    answers = item[response.request.method.lower()]["responses"]
    status = str(response.status_code)
    assert answers.keys() & {status, "4XX", "default"}, f"{status} is not documented"
    answer = answers.get(status) or answers.get("4XX") or answers["default"]
    schema = resolved(contract, answer)["content"]["application/problem+json"]["schema"]
    jsonschema_rs.validate({**schema, "components": contract["components"]}, response.json())
    return problem(response, response.status_code)


def create(client: httpx.Client, **changes: Any) -> dict[str, Any]:
    response = client.post(INVOICES, json={**VALID, **changes})
    assert response.status_code == 201, response.text
    invoice: dict[str, Any] = response.json()
    return invoice


def fetch(client: httpx.Client, invoice: dict[str, Any]) -> dict[str, Any]:
    response = client.get(f"{INVOICES}/{invoice['id']}")
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def pages(client: httpx.Client, **query: Any) -> Iterator[list[dict[str, Any]]]:
    """Yield the pages of a list."""
    cursors: list[str] = []
    while True:
        following = {"cursor": cursors[-1]} if cursors else {}
        response = client.get(INVOICES, params={"limit": 100, **query, **following})
        assert response.status_code == 200, response.text
        page = response.json()
        assert page.keys() == {"items", "next_cursor"}
        yield page["items"]
        if page["next_cursor"] is None:
            return
        assert page["next_cursor"] not in cursors
        cursors.append(page["next_cursor"])


def everything(client: httpx.Client, **query: Any) -> list[dict[str, Any]]:
    return [invoice for page in pages(client, **query) for invoice in page]


@pytest.fixture
def _nothing_stored(grace: httpx.Client) -> Iterator[None]:
    """Assert that the test does not change the data of Globex or skip an invoice number."""
    before = everything(grace)
    yield
    assert everything(grace) == before


def test_token_response_is_bearer_and_not_cached(anybody: httpx.Client) -> None:
    response = sign_in(anybody, "ada@example.com", PASSWORD)
    assert response.status_code == 200
    document = response.json()
    assert document["access_token"].isascii()
    assert document["token_type"] == "bearer"
    assert document["expires_in"] > 0
    assert "no-store" in response.headers["cache-control"]


def test_authorization_scheme_is_case_insensitive(ada: httpx.Client) -> None:
    assert ada.get(INVOICES, headers={"authorization": f"bEARER {token_of(ada)}"}).status_code == 200


def test_sign_in_error_does_not_reveal_the_cause(contract: dict[str, Any], anybody: httpx.Client) -> None:
    answers = [
        sign_in(anybody, "grace@example.com", "wrong"),
        sign_in(anybody, "nobody@example.com", PASSWORD),
    ]
    details = {refused(contract, answer, 401)["detail"] for answer in answers}
    assert len(details) == 1
    assert all(answer.headers["www-authenticate"] for answer in answers)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"username=ada@example.com",
        b"password=x",
        b"username=&password=",
        b"username=ada%00@example.com&password=x",
        b"username=surrogates%ED%A0%80&password=%ED%A0%80",
        b"username=%FF%FE&password=%FF",
        b"username=long&password=" + b"x" * 100_000,
        b"username=" + b"x" * 100_000 + b"&password=x",
        b"username=grant&password=x&grant_type=client_credentials",
        b"username=one&username=two&password=x",
        b'{"username": "ada@example.com", "password": "x"}',
    ],
    ids=lambda content: content[:30].decode(),
)
def test_malformed_form_is_rejected(contract: dict[str, Any], anybody: httpx.Client, content: bytes) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    refused(contract, anybody.post(TOKEN, content=content, headers=headers), 400, 401, 422)


def test_credentials_must_be_a_form(contract: dict[str, Any], anybody: httpx.Client) -> None:
    credentials = {"username": "ada@example.com", "password": PASSWORD}
    refused(contract, anybody.post(TOKEN, json=credentials), 400, 415, 422)
    refused(contract, anybody.post(TOKEN, params=credentials), 400, 415, 422)


def test_forged_token_is_rejected(
    contract: dict[str, Any], anybody: httpx.Client, ada: httpx.Client, grace: httpx.Client
) -> None:
    token, other = token_of(ada), token_of(grace)
    unsigned = ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in ({"alg": "none", "typ": "JWT"}, {"sub": "ada@example.com", "exp": 4102444800})
    )
    altered = [
        token[:place] + ("B" if token[place] == "A" else "A") + token[place + 1 :]
        for place in (0, len(token) // 2, len(token) - 2)
    ]
    # The payload of one token with the signature of another.
    parts, others = re.split(r"([.:])", token), re.split(r"([.:])", other)
    mixed = ["".join([*parts[:n], *others[n : n + 1], *parts[n + 1 :]]) for n in range(len(parts))]
    forged = ["x", "x" * 4000, f"{unsigned}.", token[:-2], token[::-1], f"{token}x", f"{token} {token}"]
    forged += altered + mixed
    values = [b"Bearer " + each.encode() for each in forged if each not in {token, other}]
    values += [f"Basic {token}".encode(), token.encode(), b"Bearer", b"", b"Bearer \xff\xfe", b"Bearer \xc3\xa9"]
    for value in values:
        response = anybody.get(INVOICES, headers=[(b"authorization", value)])
        assert response.status_code == 401, value
        refused(contract, response, 401)
        assert response.headers["www-authenticate"].startswith("Bearer")
    assert anybody.get(INVOICES, params={"access_token": token}).status_code == 401


def test_operations_without_token_return_401(contract: dict[str, Any], anybody: httpx.Client) -> None:
    found = operations(contract)
    assert {f"GET {INVOICES}", f"POST {INVOICES}", f"POST {WEBHOOK}"} | PUBLIC <= {" ".join(each) for each in found}
    for headers in ({}, {"authorization": "Bearer forged"}):
        for method, path in found:
            if f"{method} {path}" in PUBLIC | BY_MAIL:
                continue
            response = anybody.request(method, at(path, UNKNOWN_ID), headers=headers)
            assert response.status_code == 401, f"{method} {path} is open"
            if path != WEBHOOK:
                assert response.headers["www-authenticate"].startswith("Bearer")


def test_contract_documents_authentication(contract: dict[str, Any]) -> None:
    for method, path in operations(contract):
        if path == WEBHOOK:
            continue
        operation = contract["paths"][path][method.lower()]
        wants = {name for way in operation.get("security", contract.get("security", ())) for name in way}
        assert bool(wants) == (f"{method} {path}" not in PUBLIC | BY_MAIL), f"{method} {path}"


def test_invoice_of_another_tenant_returns_404(
    contract: dict[str, Any], ada: httpx.Client, grace: httpx.Client
) -> None:
    invoice = create(ada)
    found = [(method, path) for method, path in operations(contract) if "{" in path]
    assert len(found) >= 2
    for method, path in found:
        # Further parameters that an operation needs, and its body.
        wanted = contract["paths"][path][method.lower()].get("requestBody")
        body = None
        if wanted:
            schema = resolved(contract, resolved(contract, wanted)["content"]["application/json"]["schema"])
            body = {key: value for key, value in VALUES.items() if key in schema["properties"]}
        answer = grace.request(method, at(path, invoice["id"]), params={"currency": "EUR"}, json=body)
        refused(contract, answer, 404)
    assert fetch(ada, invoice) == invoice


def test_lists_and_reports_are_scoped_to_the_tenant(
    contract: dict[str, Any], ada: httpx.Client, grace: httpx.Client
) -> None:
    # Customer, amount and currency that only Acme has.
    marks = (customer := uuid4().hex, "86420975313", "ISK")
    create(ada, customer=customer, amount_cents=int(marks[1]), currency=marks[2])
    shown = set()
    for method, path in operations(contract):
        answers = contract["paths"][path][method.lower()]["responses"]
        endless = "text/event-stream" in answers.get("200", {}).get("content", {})
        if method != "GET" or "{" in path or endless:
            continue
        if any(mark in ada.get(path).text for mark in marks):
            shown.add(path)
        response = grace.get(path)
        assert response.status_code < 500
        assert not any(mark in response.text for mark in marks), path
    assert INVOICES in shown


def test_location_of_a_new_invoice_returns_it(ada: httpx.Client) -> None:
    body = {"customer": "Zoë Ünïted 東京 🚀 <b>", "amount_cents": 1_234_567_89, "currency": "JPY"}
    response = ada.post(INVOICES, json=body)
    assert response.status_code == 201
    invoice = response.json()
    assert invoice.keys() == FIELDS
    assert str(UUID(invoice["id"])) == invoice["id"]
    assert isinstance(invoice["number"], int)
    assert {key: invoice[key] for key in body} == body
    assert invoice["status"] == "open"
    with_location = ada.get(response.url.join(response.headers["location"]))
    assert (with_location.status_code, with_location.json()) == (200, invoice)
    assert fetch(ada, invoice) == invoice
    assert invoice in everything(ada)


def test_timestamps_are_rfc_3339_in_utc(ada: httpx.Client) -> None:
    moment = create(ada)["created_at"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)", moment)
    assert abs((datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()) < 60


def test_invoice_numbers_are_per_tenant(ada: httpx.Client, grace: httpx.Client) -> None:
    first, foreign, second = create(ada), create(grace), create(ada)
    assert second["number"] == first["number"] + 1
    assert foreign["number"] == len(everything(grace))


def test_only_open_invoices_can_be_voided(contract: dict[str, Any], ada: httpx.Client) -> None:
    invoice, other = create(ada), create(ada)
    path = f"{INVOICES}/{invoice['id']}/void"
    response = ada.post(path)
    assert (response.status_code, response.json()) == (200, {**invoice, "status": "void"})
    assert fetch(ada, invoice) == response.json()
    refused(contract, ada.post(path), 409)
    assert fetch(ada, other) == other
    assert response.json() in everything(ada, status="void")
    still_open = everything(ada, status="open")
    assert other in still_open
    assert {each["status"] for each in still_open} == {"open"}


def test_concurrent_voids_succeed_once(ada: httpx.Client) -> None:
    path = f"{INVOICES}/{create(ada)['id']}/void"
    with ThreadPoolExecutor(10) as pool:
        statuses = sorted(pool.map(lambda _: ada.post(path).status_code, range(10)))
    assert statuses == [200, *[409] * 9]


def test_unknown_invoice_returns_404(contract: dict[str, Any], ada: httpx.Client) -> None:
    refused(contract, ada.get(f"{INVOICES}/{UNKNOWN_ID}"), 404)
    refused(contract, ada.post(f"{INVOICES}/{UNKNOWN_ID}/void"), 404)
    for identifier in ("1", "%00", "x" * 500, f"{UNKNOWN_ID}0"):
        response = ada.get(f"{INVOICES}/{identifier}")
        problem(response, response.status_code)
        assert response.status_code in {404, 422}


def test_contract_enumerates_statuses_and_currencies(contract: dict[str, Any]) -> None:
    parameters = (resolved(contract, each) for each in contract["paths"][INVOICES]["get"]["parameters"])
    (status,) = [each["schema"] for each in parameters if each["name"] == "status"]
    assert allowed(contract, status) - {None} == {"open", "paid", "void"}
    body = resolved(contract, contract["paths"][INVOICES]["post"]["requestBody"])
    schema = resolved(contract, body["content"]["application/json"]["schema"])
    currencies = allowed(contract, schema["properties"]["currency"])
    assert {"EUR", "JPY", "USD"} <= currencies
    assert "ABC" not in currencies
    answer = resolved(contract, contract["paths"][INVOICES]["post"]["responses"]["201"])
    answered = resolved(contract, answer["content"]["application/json"]["schema"])["properties"]
    assert answered.keys() == FIELDS
    assert allowed(contract, answered["status"]) == {"open", "paid", "void"}


def test_idempotency_key_repeats_the_first_response(ada: httpx.Client, grace: httpx.Client) -> None:
    key = {"idempotency-key": str(uuid4())}
    first = ada.post(INVOICES, json=VALID, headers=key)
    assert first.status_code == 201
    ada.post(f"{INVOICES}/{first.json()['id']}/void")
    count = len(everything(ada))
    again = ada.post(INVOICES, json=VALID, headers=key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["location"] == first.headers["location"]
    assert len(everything(ada)) == count
    # Keys are per tenant.
    assert grace.post(INVOICES, json=VALID, headers=key).json()["id"] != first.json()["id"]
    other = ada.post(INVOICES, json=VALID, headers={"idempotency-key": str(uuid4())})
    assert other.json()["number"] == first.json()["number"] + 1


def test_idempotency_key_with_another_body_is_rejected(contract: dict[str, Any], grace: httpx.Client) -> None:
    key = {"idempotency-key": str(uuid4())}
    first = grace.post(INVOICES, json=VALID, headers=key)
    before = everything(grace)
    refused(contract, grace.post(INVOICES, json={**VALID, "amount_cents": 1}, headers=key), 409, 422)
    assert everything(grace) == before
    assert grace.post(INVOICES, json=VALID, headers=key).json() == first.json()


def test_rejected_request_does_not_use_its_idempotency_key(contract: dict[str, Any], grace: httpx.Client) -> None:
    key = {"idempotency-key": str(uuid4())}
    refused(contract, grace.post(INVOICES, json={**VALID, "amount_cents": 0}, headers=key), 422)
    assert grace.post(INVOICES, json=VALID, headers=key).status_code == 201


@pytest.mark.parametrize("key", [b"", b"x" * 300, b"x" * 5000, b"\xff\xfe", "é".encode()], ids=lambda key: f"{key[:5]}")
def test_unusual_idempotency_keys_are_handled(contract: dict[str, Any], ada: httpx.Client, key: bytes) -> None:
    response = ada.post(INVOICES, json=VALID, headers=[(b"idempotency-key", key)])
    if response.status_code != 201:
        refused(contract, response, 400, 422)


def test_concurrent_requests_with_one_key_create_one_invoice(ada: httpx.Client) -> None:
    count = len(everything(ada))
    key = {"idempotency-key": str(uuid4())}
    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda _: ada.post(INVOICES, json=VALID, headers=key), range(100)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == len({answer.headers["location"] for answer in answers}) == 1
    assert len(everything(ada)) == count + 1


def test_concurrent_requests_get_consecutive_numbers(ada: httpx.Client) -> None:
    last = create(ada)["number"]
    keys = [{"idempotency-key": str(uuid4())} for _ in range(100)]
    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda key: ada.post(INVOICES, json=VALID, headers=key), keys))
    assert {answer.status_code for answer in answers} == {201}
    assert sorted(answer.json()["number"] for answer in answers) == list(range(last + 1, last + 101))


def test_pagination_is_stable_during_changes(grace: httpx.Client) -> None:
    for _ in range(7):
        create(grace)
    for query in ({}, {"status": "open"}):
        before = {invoice["id"] for invoice in everything(grace, **query)}
        seen = []
        for page in pages(grace, limit=3, **query):
            assert len(page) <= 3
            seen += [invoice["id"] for invoice in page]
            assert len(seen) == len(set(seen))
            create(grace)
            grace.post(f"{INVOICES}/{page[0]['id']}/void")
        assert set(seen) >= before


def test_list_order_does_not_depend_on_the_limit(grace: httpx.Client) -> None:
    invoices = everything(grace)
    assert everything(grace, limit=4) == invoices
    numbers = [invoice["number"] for invoice in invoices]
    assert numbers in (sorted(numbers), sorted(numbers, reverse=True))
    first = grace.get(INVOICES).json()["items"]
    assert first == invoices[: len(first)] != []


@pytest.mark.parametrize(("name", "value"), pairs(INVALID_QUERIES))
def test_invalid_query_returns_422_with_pointer(
    contract: dict[str, Any], grace: httpx.Client, name: str, value: str
) -> None:
    document = refused(contract, grace.get(INVOICES, params={name: value}), 422)
    assert [error["pointer"] for error in document["errors"]] == [f"query/{name}"]


def test_malformed_cursor_is_rejected(contract: dict[str, Any], ada: httpx.Client) -> None:
    cursor = ada.get(INVOICES, params={"limit": 1}).json()["next_cursor"]
    for broken in (cursor[1:], cursor[::-1], f"x{cursor}", f"{cursor}!", f" {cursor}", f"{cursor}\0"):
        refused(contract, ada.get(INVOICES, params={"cursor": broken}), 422)


@pytest.mark.usefixtures("_nothing_stored")
@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_body_is_rejected(contract: dict[str, Any], grace: httpx.Client, content: bytes) -> None:
    response = grace.post(INVOICES, content=content, headers={"content-type": "application/json"})
    refused(contract, response, 400, 422)


@pytest.mark.usefixtures("_nothing_stored")
@pytest.mark.parametrize(("field", "value"), pairs(INVALID), ids=lambda value: f"{value!r:.20}")
def test_invalid_field_returns_422_with_pointer(
    contract: dict[str, Any], grace: httpx.Client, field: str, value: Any
) -> None:
    body: dict[str, Any] = {**VALID, field: value}
    if value is ...:
        del body[field]
    response = grace.post(INVOICES, content=json.dumps(body), headers={"content-type": "application/json"})
    errors = refused(contract, response, 422)["errors"]
    assert all(error.keys() == {"pointer", "detail"} and error["detail"] for error in errors)
    assert {error["pointer"].rsplit("/", 1)[-1] for error in errors} == {field}


@pytest.mark.usefixtures("_nothing_stored")
def test_all_errors_are_reported_at_once(contract: dict[str, Any], grace: httpx.Client) -> None:
    body = {"customer": "", "amount_cents": 0, "currency": "ABC"}
    errors = refused(contract, grace.post(INVOICES, json=body), 422)["errors"]
    assert {error["pointer"].rsplit("/", 1)[-1] for error in errors} == body.keys()


@pytest.mark.usefixtures("_nothing_stored")
@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_unsupported_content_type_is_rejected(contract: dict[str, Any], grace: httpx.Client, content_type: str) -> None:
    response = grace.post(INVOICES, content=json.dumps(VALID), headers={"content-type": content_type})
    refused(contract, response, 400, 415, 422)


@pytest.mark.usefixtures("_nothing_stored")
@pytest.mark.parametrize("chunked", [False, True])
def test_body_over_the_limit_returns_413(contract: dict[str, Any], grace: httpx.Client, chunked: bool) -> None:
    body = json.dumps({**VALID, "customer": "x" * MEGABYTE}).encode()
    content = iter([body[:MEGABYTE], body[MEGABYTE:]]) if chunked else body
    headers = {"content-type": "application/json", **LAST}
    refused(contract, grace.post(INVOICES, content=content, headers=headers), 413)


def payment(invoice: dict[str, Any]) -> bytes:
    return json.dumps({"type": "payment.succeeded", "data": {"invoice_id": invoice["id"]}}).encode()


def accepted(response: httpx.Response) -> None:
    assert (response.status_code, response.json()) == (202, {"accepted": True}), response.text


def test_payment_marks_the_invoice_paid(
    contract: dict[str, Any], anybody: httpx.Client, ada: httpx.Client, grace: httpx.Client, settle: Callable[[], None]
) -> None:
    paid = [create(ada), create(grace), create(ada), create(ada), create(ada)]
    bystander = create(ada)
    bodies = [payment(invoice) for invoice in paid]
    good = headers_for(bodies[3])
    foreign = signature(FOREIGN_SECRET, good["webhook-id"], good["webhook-timestamp"], bodies[3])
    deliveries = [
        headers_for(bodies[0]),
        headers_for(bodies[1], secret=OLD_WEBHOOK_SECRET),
        headers_for(bodies[2], timestamp=int(time.time()) - 240),
        # During key rotation a sender signs with several keys; v1a is an unsupported scheme.
        {**good, "webhook-signature": f"v1a,AAAA {foreign} v1,!!! {good['webhook-signature']}"},
        headers_for(bodies[4], timestamp=int(time.time()) + 240),
    ]
    for body, headers in zip(bodies, deliveries, strict=True):
        accepted(anybody.post(WEBHOOK, content=body, headers=headers))
    settle()
    assert [fetch(grace if n == 1 else ada, invoice) for n, invoice in enumerate(paid)] == [
        {**invoice, "status": "paid"} for invoice in paid
    ]
    assert fetch(ada, paid[0]) in everything(ada, status="paid")
    assert fetch(ada, bystander) == bystander
    refused(contract, ada.post(f"{INVOICES}/{paid[0]['id']}/void"), 409)


def test_webhook_with_invalid_signature_is_rejected(
    contract: dict[str, Any], anybody: httpx.Client, ada: httpx.Client, settle: Callable[[], None]
) -> None:
    invoice, now = create(ada), int(time.time())
    body = payment(invoice)
    good = headers_for(body)
    signed = good["webhook-signature"]
    wrong: list[dict[str, str]] = [
        *({key: value for key, value in good.items() if key != missing} for missing in good if "webhook" in missing),
        {**good, "webhook-id": f"{good['webhook-id']}x"},
        {**good, "webhook-timestamp": str(now - 1)},
        headers_for(body, secret=FOREIGN_SECRET),
        *(headers_for(body, timestamp=now + offset) for offset in (-600, 600, -now, 10**30)),
        *(headers_for(body, timestamp=text) for text in ("", "now", "nan", f"{now}.5", "1e9", "-1", "9" * 5000)),
        *({**good, "webhook-signature": f"{version}{signed[3:]}"} for version in ("", "v1", "v2,", "v1a,", "V1,")),
        *({**good, "webhook-signature": text} for text in ("", "v1,", "v1,!!!", f"v1,{'A' * 5000}", signed[:-4])),
    ]
    for headers in wrong:
        refused(contract, anybody.post(WEBHOOK, content=body, headers=headers), 401)
    refused(contract, anybody.post(WEBHOOK, content=body + b" ", headers=good), 401)
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        raw = [(key.encode(), value.encode()) for key, value in {**good, name: "é"}.items()]
        refused(contract, anybody.post(WEBHOOK, content=body, headers=raw), 401)
    settle()
    assert fetch(ada, invoice) == invoice


@pytest.mark.parametrize("kind", ["payment.failed", "customer.created", "ünknown 🚀"])
def test_unknown_webhook_type_is_ignored(anybody: httpx.Client, kind: str) -> None:
    body = json.dumps({"type": kind, "data": {"anything": [1]}}).encode()
    response = anybody.post(WEBHOOK, content=body, headers=headers_for(body))
    assert (response.status_code, response.json()) == (202, {"ignored": True})


def test_duplicate_webhook_is_applied_once(
    anybody: httpx.Client, ada: httpx.Client, settle: Callable[[], None]
) -> None:
    first, second, *racing = [create(ada) for _ in range(12)]
    identifier, contested = f"msg_{uuid4().hex}", f"msg_{uuid4().hex}"
    # The same id with another body: the id decides.
    for invoice in (first, first, second):
        body = payment(invoice)
        accepted(anybody.post(WEBHOOK, content=body, headers=headers_for(body, identifier=identifier)))

    def race(invoice: dict[str, Any]) -> None:
        body = payment(invoice)
        accepted(anybody.post(WEBHOOK, content=body, headers=headers_for(body, identifier=contested)))

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(race, racing))
    settle()
    assert [fetch(ada, invoice)["status"] for invoice in (first, second)] == ["paid", "open"]
    assert sorted(fetch(ada, invoice)["status"] for invoice in racing) == [*["open"] * 9, "paid"]


def test_payment_for_an_invoice_that_is_not_open_changes_nothing(
    contract: dict[str, Any], anybody: httpx.Client, ada: httpx.Client, settle: Callable[[], None]
) -> None:
    invoice = create(ada)
    ada.post(f"{INVOICES}/{invoice['id']}/void")
    for target in (invoice, {"id": UNKNOWN_ID}):
        body = payment(target)
        response = anybody.post(WEBHOOK, content=body, headers=headers_for(body))
        if response.status_code != 202:
            refused(contract, response, 404, 409, 422)
    settle()
    assert fetch(ada, invoice) == {**invoice, "status": "void"}


def test_malformed_webhook_is_rejected_and_its_id_not_used(
    contract: dict[str, Any], anybody: httpx.Client, ada: httpx.Client, settle: Callable[[], None]
) -> None:
    invoice, identifier = create(ada), f"msg_{uuid4().hex}"
    identifiers: list[Any] = [None, 7, "1", "\0", "\ud800", [], {}]
    payments: list[Any] = [None, [], {}, *({"invoice_id": each} for each in identifiers)]
    nonsense: list[Any] = [None, [], "payment.succeeded", {}, {"type": None}, {"type": 7, "data": {}}]
    nonsense += [{"type": "payment.succeeded"}, *({"type": "payment.succeeded", "data": each} for each in payments)]
    bodies = [b"", b"{", b"\xff\xfe", b"type=payment.succeeded", b"[" * 100_000]
    for body in [*bodies, *(json.dumps(each).encode() for each in nonsense)]:
        response = anybody.post(WEBHOOK, content=body, headers=headers_for(body, identifier=identifier))
        assert response.status_code in {400, 422}, body[:100]
        refused(contract, response, 400, 422)
    body = payment(invoice)
    accepted(anybody.post(WEBHOOK, content=body, headers=headers_for(body, identifier=identifier)))
    settle()
    assert fetch(ada, invoice)["status"] == "paid"


def test_unusual_webhooks_are_handled(contract: dict[str, Any], anybody: httpx.Client) -> None:
    body = json.dumps({"type": "payment.succeeded", "data": {"invoice_id": UNKNOWN_ID}}).encode()
    for identifier in ("x" * 300, "x" * 5000, "a.b", "'; --"):
        response = anybody.post(WEBHOOK, content=body, headers=headers_for(body, identifier=identifier))
        if response.status_code != 202:
            refused(contract, response, 400, 401, 404, 422)
    for text in ("", "x" * 300, "\0", "\ud800"):
        body = json.dumps({"type": text, "data": {text: text}}).encode()
        response = anybody.post(WEBHOOK, content=body, headers=headers_for(body))
        if response.status_code != 202:
            refused(contract, response, 400, 422)
    body = json.dumps({"type": "payment.succeeded", "data": "x" * MEGABYTE}).encode()
    refused(contract, anybody.post(WEBHOOK, content=body, headers={**headers_for(body), **LAST}), 413)
