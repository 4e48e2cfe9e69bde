"""Black-box suite for a module of a project's own, as it is scaffolded: `items` next to the example."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from servers import PASSWORD, TOKEN, Server, problem
from support import answers_of

FLAVOURS = ["django", "fastapi", "flask"]
pytestmark = pytest.mark.parametrize("generated", FLAVOURS, indirect=True, scope="session")

ITEMS = "/api/v1/items"
UNKNOWN = f"{ITEMS}/00000000-0000-4000-8000-000000000000"
# More than the largest page.
MANY = 103


@contextmanager
def signed_in(server: Server, email: str) -> Iterator[httpx.Client]:
    """A client with an access token."""
    with httpx.Client(base_url=server.url, timeout=15) as client:
        tokens = client.post(TOKEN, data={"username": email, "password": PASSWORD}).json()
        client.headers["authorization"] = f"Bearer {tokens['access_token']}"
        yield client


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    """The owner of Acme."""
    with signed_in(server, "ada@example.com") as client:
        yield client


@pytest.fixture
def other(server: Server) -> Iterator[httpx.Client]:
    """The owner of Globex."""
    with signed_in(server, "grace@example.com") as client:
        yield client


def create(client: httpx.Client, name: str = "First") -> str:
    """Create an item, and return its path."""
    response = client.post(ITEMS, json={"name": name})
    assert response.status_code == 201, response.text
    assert response.headers["location"] == f"{ITEMS}/{response.json()['id']}"
    return str(response.headers["location"])


def page(client: httpx.Client, **query: str | int) -> dict[str, Any]:
    response = client.get(ITEMS, params=query)
    assert response.status_code == 200, response.text
    assert response.json().keys() == {"items", "next_cursor"}
    found: dict[str, Any] = response.json()
    return found


def names(client: httpx.Client, **query: str | int) -> list[str]:
    return [item["name"] for item in page(client, **query)["items"]]


def test_row_is_created_read_changed_and_deleted(client: httpx.Client) -> None:
    path = create(client)
    created = client.get(path).json()
    assert created.keys() == {"id", "name", "created_at"}
    assert created["created_at"].endswith("Z")
    response = client.patch(path, json={"name": "Changed"})
    assert (response.status_code, response.json()) == (200, created | {"name": "Changed"})
    assert client.patch(path, json={}).json()["name"] == "Changed"
    assert client.delete(path).status_code == 204
    for response in (client.get(path), client.patch(path, json={"name": "Again"}), client.delete(path)):
        problem(response, 404)


@pytest.mark.parametrize("body", [{"name": name} for name in ("", " ", "x" * 201, "a\nb", "a\0b", None, 7)])
def test_invalid_name_is_rejected(client: httpx.Client, body: dict[str, object]) -> None:
    path = create(client)
    for response in (client.post(ITEMS, json=body), client.patch(path, json=body)):
        assert [error["pointer"] for error in problem(response, 422)["errors"]] == ["#/name"]
    problem(client.post(ITEMS, json={}), 422)
    problem(client.post(ITEMS, json={"name": "First", "colour": "red"}), 422)
    assert client.get(path).json()["name"] == "First"
    client.delete(path)


def test_pages_go_beyond_the_hundredth_row_and_do_not_shift(client: httpx.Client) -> None:
    created = [f"many {number}" for number in range(MANY)]
    paths = [create(client, name) for name in created]
    first = page(client, name="many", limit=100)
    paths.append(create(client, "many more"))
    second = page(client, name="many", limit=100, cursor=first["next_cursor"])
    assert second["next_cursor"] is None
    assert [item["name"] for item in first["items"] + second["items"]] == created[::-1]
    assert len(page(client, name="many")["items"]) == 50
    for path in paths:
        client.delete(path)


def test_filter_finds_a_part_of_the_name_in_any_case(client: httpx.Client) -> None:
    paths = [create(client, name) for name in ("Filter 50%", "filtered", "other")]
    assert names(client, name="FILTER") == ["filtered", "Filter 50%"]
    assert names(client, name="0%") == ["Filter 50%"]
    assert names(client, name="f_l") == []
    for path in paths:
        client.delete(path)


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "101"}, {"cursor": ""}, {"cursor": "x"}])
def test_invalid_query_is_rejected(client: httpx.Client, query: dict[str, str]) -> None:
    (parameter,) = query
    errors = problem(client.get(ITEMS, params=query), 422)["errors"]
    assert [error["pointer"] for error in errors] == [f"query/{parameter}"]


def test_text_that_a_database_cannot_store_is_no_server_error(client: httpx.Client) -> None:
    assert client.get(ITEMS, params={"name": "a\0b"}).status_code in {200, 422}


def test_rows_of_another_tenant_are_not_found(client: httpx.Client, other: httpx.Client) -> None:
    path = create(client, "Secret")
    assert names(other, name="secret") == []
    for response in (other.get(path), other.patch(path, json={"name": "Mine"}), other.delete(path)):
        problem(response, 404)
    assert client.get(path).json()["name"] == "Secret"
    client.delete(path)


def test_token_is_required(server: Server) -> None:
    for method, path in (("GET", ITEMS), ("POST", ITEMS), ("GET", UNKNOWN), ("PATCH", UNKNOWN), ("DELETE", UNKNOWN)):
        problem(httpx.request(method, f"{server.url}{path}", json={"name": "First"}, timeout=15), 401)


def set_role(database: str, table: str, before: str, after: str) -> None:
    """Change the role of everybody who has another one."""
    statement = f"UPDATE {table} SET role = '{after}' WHERE role = '{before}'"  # noqa: S608
    if database.startswith("sqlite"):
        with closing(sqlite3.connect(database.removeprefix("sqlite:///"), timeout=10)) as sqlite, sqlite:
            sqlite.execute(statement)
    else:
        with psycopg.connect(database) as postgresql:
            postgresql.execute(statement)


@pytest.mark.parametrize(("role", "allowed"), [("viewer", [200, 403, 403, 403]), ("member", [200, 201, 200, 403])])
def test_role_limits_the_actions(project: Path, server: Server, database: str, role: str, allowed: list[int]) -> None:
    table = "accounts_membership" if answers_of(project)["framework"] == "django" else "accounts_memberships"
    with signed_in(server, "ada@example.com") as client:
        path = create(client)
        set_role(database, table, "owner", role)
    try:
        with signed_in(server, "ada@example.com") as client:
            responses = [
                client.get(path),
                client.post(ITEMS, json={"name": "Second"}),
                client.patch(path, json={"name": "Changed"}),
                client.delete(path),
            ]
    finally:
        set_role(database, table, role, "owner")
    assert [response.status_code for response in responses] == allowed
    problem(responses[-1], 403)
