"""Black-box suite for users and organizations, the same for the running servers of all frameworks."""

import json
import random
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from servers import PASSWORD, TOKEN, Server, just, problem, serving

pytestmark = pytest.mark.parametrize("generated", ["fastapi", "django", "ninja"], indirect=True, scope="session")

ME = "/api/v1/me"
MEMBERS = "/api/v1/members"
ORGANIZATIONS = "/api/v1/organizations"
NEW_PASSWORD = "another battery staple 8"
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
# Operation: method and path, parameters, and the schemas of its own problems by status.
OPERATIONS: dict[str, tuple[str, set[str], dict[str, str]]] = {
    "accounts_get_me": (f"GET {ME}", set(), {}),
    "accounts_change_me": (f"PATCH {ME}", set(), {}),
    "accounts_change_password": (f"POST {ME}/password", set(), {}),
    "accounts_sign_out_everywhere": (f"POST {ME}/sign-out", set(), {}),
    "accounts_list_organizations": (f"GET {ORGANIZATIONS}", set(), {}),
    "accounts_list_members": (f"GET {MEMBERS}", {"limit", "cursor"}, {}),
    "accounts_change_member": (
        f"PATCH {MEMBERS}/{{member_id}}",
        {"member_id"},
        {"404": "MemberNotFoundProblem", "409": "LastOwnerProblem"},
    ),
    "accounts_remove_member": (
        f"DELETE {MEMBERS}/{{member_id}}",
        {"member_id"},
        {"404": "MemberNotFoundProblem", "409": "LastOwnerProblem"},
    ),
}

NewOwner = Callable[[], "Person"]


class Person:
    """A user and a client with a token of theirs."""

    def __init__(self, server: Server, email: str, password: str = PASSWORD, organization: str | None = None) -> None:
        self.email = email
        self.client = anybody(server)
        answer = sign_in(self.client, email, password, **({"organization": organization} if organization else {}))
        assert answer.status_code == 200, answer.text
        self.tokens: dict[str, Any] = answer.json()
        self.client.headers["authorization"] = f"Bearer {self.tokens['access_token']}"

    def get(self, path: str, **query: str | int) -> Any:
        answer = self.client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def member_id(self) -> str:
        """Return the id of the user's membership in the organization of the token."""
        (found,) = [item["id"] for item in self.get(MEMBERS)["items"] if item["email"] == self.email]
        return str(found)

    def is_signed_out(self) -> bool:
        """Return whether this sign-in has ended; access tokens that can be refreshed may live on."""
        if "refresh_token" not in self.tokens:
            return self.client.get(ME).status_code == 401
        form = {"grant_type": "refresh_token", "refresh_token": self.tokens["refresh_token"]}
        return 400 <= self.client.post(TOKEN, data=form).status_code < 402


def anybody(server: Server) -> httpx.Client:
    """Return a client without a token, from an address of its own: failures are limited per client."""
    address = f"10.{random.randrange(256)}.{random.randrange(256)}.{random.randrange(1, 255)}"  # noqa: S311
    # Its connections are closed after each response, since nobody closes the client.
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.Client(base_url=server.url, timeout=30, limits=limits, headers={"x-forwarded-for": address})


def sign_in(client: httpx.Client, email: str, password: str, **form: str) -> httpx.Response:
    return client.post(TOKEN, data={"grant_type": "password", "username": email, "password": password, **form})


def may_sign_in(server: Server, email: str, password: str) -> bool:
    return sign_in(anybody(server), email, password).status_code == 200


@pytest.fixture(scope="session")
def server(project: Path, database: str) -> Iterator[Server]:
    """The production server, behind a proxy."""
    with serving(project, DATABASE_URL=database, PROXY_HOPS="1", DEBUG="false") as running:
        yield running


@pytest.fixture(scope="session")
def create_owner(project: Path, database: str) -> Callable[..., str]:
    def create(email: str, organization: str, password: str = PASSWORD) -> str:
        arguments = ("create-owner", email, "--organization", organization)
        return just(project, *arguments, DATABASE_URL=database, OWNER_PASSWORD=password)

    return create


@pytest.fixture(scope="session")
def new_owner(server: Server, create_owner: Callable[..., str]) -> NewOwner:
    """Return a function that creates a user with an organization of their own."""

    def create() -> Person:
        name = f"owner-{uuid4().hex[:8]}"
        create_owner(f"{name}@example.com", name)
        return Person(server, f"{name}@example.com")

    return create


@pytest.fixture(scope="session")
def ada(server: Server) -> Person:
    return Person(server, "ada@example.com")


@pytest.fixture(scope="session")
def owner(new_owner: NewOwner) -> Person:
    return new_owner()


def invalid(answer: httpx.Response, pointer: str) -> None:
    """Assert that the answer rejects one field of the body."""
    assert [error["pointer"] for error in problem(answer, 422)["errors"]] == [pointer]


def test_contract_has_the_operations_and_their_problems(project: Path) -> None:
    contract = json.loads((project / "docs" / "openapi.json").read_text(encoding="utf-8"))
    found = {
        operation["operationId"]: (f"{method.upper()} {path}", operation)
        for path, item in contract["paths"].items()
        for method, operation in item.items()
        if isinstance(operation, dict)
    }
    for name, (place, parameters, problems) in OPERATIONS.items():
        assert found[name][0] == place
        operation = found[name][1]
        assert operation["tags"] == [name.partition("_")[0]]
        assert {each["name"] for each in operation.get("parameters", [])} == parameters
        for status, schema in problems.items():
            assert re.search(rf'schemas/{schema}"', json.dumps(operation["responses"][status])), f"{name} {status}"


def test_owner_is_created_once(server: Server, create_owner: Callable[..., str]) -> None:
    email = f"first-{uuid4().hex[:8]}@example.com"
    said = create_owner(email, "First & Co")
    assert "http" in said
    again = create_owner(email.upper(), "First & Co", NEW_PASSWORD)
    assert "password" in again
    assert not may_sign_in(server, email, NEW_PASSWORD)
    owned = Person(server, email).get(ORGANIZATIONS)["items"]
    assert [(item["name"], item["role"]) for item in owned] == [("First & Co", "owner")]


@pytest.mark.parametrize(("password", "sentence"), [("", "OWNER_PASSWORD"), ("short", r"\d+ char")])
def test_owner_needs_a_password(project: Path, database: str, password: str, sentence: str) -> None:
    with pytest.raises(AssertionError, match=sentence) as error:
        just(project, "create-owner", "nobody@example.com", DATABASE_URL=database, OWNER_PASSWORD=password)
    assert "Traceback" not in str(error.value)


def test_name_is_changed(owner: Person) -> None:
    before = owner.get(ME)
    assert before["name"] == ""
    answer = owner.client.patch(ME, json={"name": "Ada Lovelace"})
    assert (answer.status_code, answer.json()) == (200, {**before, "name": "Ada Lovelace"})
    assert owner.get(ME) == answer.json()
    assert owner.get(MEMBERS)["items"][0]["name"] == "Ada Lovelace"


@pytest.mark.parametrize("name", ["x" * 201, "a\nb", "a\0b", None, 7])
def test_invalid_name_is_rejected(owner: Person, name: object) -> None:
    invalid(owner.client.patch(ME, json={"name": name}), "#/name")


def test_new_password_ends_every_sign_in(server: Server, new_owner: NewOwner) -> None:
    person = new_owner()
    other = Person(server, person.email)
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    answer = person.client.post(f"{ME}/password", json=body)
    assert (answer.status_code, answer.content) == (204, b"")
    for each in (person, other):
        problem(each.client.get(ME), 401)
        assert each.is_signed_out()
    assert not may_sign_in(server, person.email, PASSWORD)
    assert Person(server, person.email, NEW_PASSWORD).get(ME)["email"] == person.email


def test_invalid_password_is_rejected(server: Server, owner: Person) -> None:
    body = {"current_password": "not the password", "new_password": NEW_PASSWORD}
    invalid(owner.client.post(f"{ME}/password", json=body), "#/current_password")
    body = {"current_password": PASSWORD, "new_password": "short"}
    invalid(owner.client.post(f"{ME}/password", json=body), "#/new_password")
    assert may_sign_in(server, owner.email, PASSWORD)


def test_guesses_of_the_current_password_are_limited(new_owner: NewOwner) -> None:
    person = new_owner()
    body = {"current_password": "not the password", "new_password": NEW_PASSWORD}
    statuses = [person.client.post(f"{ME}/password", json=body).status_code for _ in range(12)]
    assert set(statuses) == {422, 429}
    assert statuses == sorted(statuses)
    limited = person.client.post(f"{ME}/password", json={**body, "current_password": PASSWORD})
    problem(limited, 429)
    assert int(limited.headers["retry-after"]) > 0


def test_signing_out_everywhere_ends_every_sign_in(server: Server, new_owner: NewOwner) -> None:
    here = new_owner()
    there = Person(server, here.email)
    assert here.client.post(f"{ME}/sign-out").status_code == 204
    assert here.is_signed_out()
    assert there.is_signed_out()


def test_user_of_two_organizations_chooses(server: Server, owner: Person, create_owner: Callable[..., str]) -> None:
    second = f"second-{uuid4().hex[:8]}"
    create_owner(owner.email, second)
    first, added = owner.get(ORGANIZATIONS)["items"]
    assert (added["name"], added["role"]) == (second, "owner")
    assert Person(server, owner.email).get(ME)["organization"]["id"] == first["id"]
    assert Person(server, owner.email, organization=added["id"]).get(ME)["organization"]["name"] == second


def test_members_are_those_of_the_organization(owner: Person) -> None:
    page = owner.get(MEMBERS)
    assert [item["email"] for item in page["items"]] == [owner.email]
    assert page["items"][0].keys() == {"id", "user_id", "email", "name", "role", "created_at"}
    assert (page["items"][0]["user_id"], page["next_cursor"]) == (owner.get(ME)["id"], None)
    for name, value in (("limit", "0"), ("cursor", "x")):
        errors = problem(owner.client.get(MEMBERS, params={name: value}), 422)["errors"]
        assert [error["pointer"].rpartition("/")[2] for error in errors] == [name]


def test_members_of_others_do_not_exist(ada: Person, owner: Person) -> None:
    for member_id in (owner.member_id(), UNKNOWN_ID):
        path = f"{MEMBERS}/{member_id}"
        for answer in (ada.client.patch(path, json={"role": "viewer"}), ada.client.delete(path)):
            assert problem(answer, 404)["type"] == "urn:problem:member-not-found"


def test_unknown_role_is_rejected(owner: Person) -> None:
    for role in ("admin", "", None, 1):
        invalid(owner.client.patch(f"{MEMBERS}/{owner.member_id()}", json={"role": role}), "#/role")


def test_last_owner_stays(owner: Person) -> None:
    path = f"{MEMBERS}/{owner.member_id()}"
    with ThreadPoolExecutor() as pool:
        left = list(pool.map(lambda _: owner.client.delete(path), range(3)))
    for answer in (*left, owner.client.patch(path, json={"role": "viewer"})):
        assert problem(answer, 409)["type"] == "urn:problem:last-owner"
    assert owner.client.patch(path, json={"role": "owner"}).status_code == 200
    assert owner.get(ME)["role"] == "owner"


def test_everything_needs_a_token(server: Server) -> None:
    for place, _, _ in OPERATIONS.values():
        method, path = place.replace("{member_id}", UNKNOWN_ID).split()
        problem(anybody(server).request(method, path), 401)
