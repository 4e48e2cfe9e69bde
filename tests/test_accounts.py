"""Black-box suite for users and organizations, the same for the running servers of all frameworks."""

import json
import random
import re
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from servers import PASSWORD, TOKEN, Server, just, problem, serving

pytestmark = pytest.mark.parametrize(
    "generated", ["fastapi", "flask", "django", "ninja"], indirect=True, scope="session"
)

ME = "/api/v1/me"
MEMBERS = "/api/v1/members"
ORGANIZATIONS = "/api/v1/organizations"
INVITATIONS = "/api/v1/invitations"
RESET = "/api/v1/auth/password-reset"
NEW_PASSWORD = "another battery staple 8"
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
# Without a token of the API.
OPEN = {"accounts_accept_invitation", "auth_request_password_reset", "auth_confirm_password_reset"}
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
    "accounts_list_invitations": (f"GET {INVITATIONS}", set(), {}),
    "accounts_create_invitation": (f"POST {INVITATIONS}", set(), {"409": "AlreadyMemberProblem"}),
    "accounts_revoke_invitation": (
        f"DELETE {INVITATIONS}/{{invitation_id}}",
        {"invitation_id"},
        {"404": "InvitationNotFoundProblem"},
    ),
    "accounts_resend_invitation": (
        f"POST {INVITATIONS}/{{invitation_id}}/resend",
        {"invitation_id"},
        {"404": "InvitationNotFoundProblem"},
    ),
    "accounts_accept_invitation": (f"POST {INVITATIONS}/accept", set(), {"404": "InvitationNotFoundProblem"}),
    "auth_request_password_reset": (f"POST {RESET}", set(), {}),
    "auth_confirm_password_reset": (f"POST {RESET}/confirm", set(), {}),
}

NewOwner = Callable[[], "Person"]


class Person:
    """A user and a client with a token of theirs."""

    def __init__(self, client: httpx.Client, email: str, tokens: dict[str, Any]) -> None:
        self.client = client
        self.email = email
        self.tokens = tokens
        client.headers["authorization"] = f"Bearer {tokens['access_token']}"

    @classmethod
    def signed_in(cls, server: Server, email: str, password: str = PASSWORD, **form: str) -> "Person":
        client = anybody(server)
        answer = sign_in(client, email, password, **form)
        assert answer.status_code == 200, answer.text
        return cls(client, email, answer.json())

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
        if not self.tokens.get("refresh_token"):
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


class Mailbox:
    """A mail server that keeps what it is sent."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        mailbox = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(b"220 mailbox\r\n")
                while line := self.rfile.readline():
                    if line.upper().startswith(b"DATA"):
                        self.wfile.write(b"354 go on\r\n")
                        content = b"".join(iter(self.rfile.readline, b".\r\n"))
                        message = message_from_bytes(content, policy=policy.default)
                        assert isinstance(message, EmailMessage)
                        mailbox.messages.append(message)
                    self.wfile.write(b"250 ok\r\n" if not line.upper().startswith(b"QUIT") else b"221 bye\r\n")

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"smtp://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def to(self, email: str, count: int = 1) -> list[EmailMessage]:
        """Return the messages to an address, once there are `count`."""
        deadline = time.monotonic() + 10
        while len(found := [each for each in self.messages if each["To"] == email]) < count:
            assert time.monotonic() < deadline, f"{len(found)} of {count} mails to {email}"
            time.sleep(0.05)
        return found

    def token(self, email: str, count: int = 1) -> str:
        """Return the token in the last of `count` mails to an address."""
        message = self.to(email, count)[-1]
        parts = [message.get_body((kind,)) for kind in ("plain", "html")]
        text, html = (part.get_content() if part else "" for part in parts)
        found = re.search(r"Token: (\S+)", text)
        assert found, text
        assert found[1] in html
        assert "http" in text
        return found[1]


@pytest.fixture(scope="session")
def mailbox(database: str) -> Iterator[Mailbox]:
    # A new one per database: some addresses are in both.
    assert database
    mailbox = Mailbox()
    yield mailbox
    mailbox.server.shutdown()
    mailbox.server.server_close()


@pytest.fixture(scope="session")
def server(project: Path, database: str, mailbox: Mailbox) -> Iterator[Server]:
    """The production server, behind a proxy."""
    variables = {"PROXY_HOPS": "1", "DEBUG": "false", "EMAIL_URL": mailbox.url}
    with serving(project, DATABASE_URL=database, **variables) as running:
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
        return Person.signed_in(server, f"{name}@example.com")

    return create


@pytest.fixture(scope="session")
def ada(server: Server) -> Person:
    return Person.signed_in(server, "ada@example.com")


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
    owned = Person.signed_in(server, email).get(ORGANIZATIONS)["items"]
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
    other = Person.signed_in(server, person.email)
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    answer = person.client.post(f"{ME}/password", json=body)
    assert (answer.status_code, answer.content) == (204, b"")
    for each in (person, other):
        problem(each.client.get(ME), 401)
        assert each.is_signed_out()
    assert not may_sign_in(server, person.email, PASSWORD)
    assert Person.signed_in(server, person.email, NEW_PASSWORD).get(ME)["email"] == person.email


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
    there = Person.signed_in(server, here.email)
    assert here.client.post(f"{ME}/sign-out").status_code == 204
    assert here.is_signed_out()
    assert there.is_signed_out()


def test_user_of_two_organizations_chooses(server: Server, owner: Person, create_owner: Callable[..., str]) -> None:
    second = f"second-{uuid4().hex[:8]}"
    create_owner(owner.email, second)
    first, added = owner.get(ORGANIZATIONS)["items"]
    assert (added["name"], added["role"]) == (second, "owner")
    assert Person.signed_in(server, owner.email).get(ME)["organization"]["id"] == first["id"]
    assert Person.signed_in(server, owner.email, organization=added["id"]).get(ME)["organization"]["name"] == second


def test_members_are_those_of_the_organization(owner: Person) -> None:
    page = owner.get(MEMBERS)
    assert [item["email"] for item in page["items"]] == [owner.email]
    assert page["items"][0].keys() == {"id", "user_id", "email", "name", "role", "created_at"}
    assert (page["items"][0]["user_id"], page["next_cursor"]) == (owner.get(ME)["id"], None)
    for name, value in (("limit", "0"), ("cursor", "x")):
        errors = problem(owner.client.get(MEMBERS, params={name: value}), 422)["errors"]
        assert [error["pointer"] for error in errors] == [f"query/{name}"]


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


def new_address() -> str:
    return f"user-{uuid4().hex[:8]}@example.com"


def invite(owner: Person, email: str, role: str = "member") -> dict[str, Any]:
    answer = owner.client.post(INVITATIONS, json={"email": email, "role": role})
    assert answer.status_code == 201, answer.text
    invitation: dict[str, Any] = answer.json()
    return invitation


def accept(client: httpx.Client, token: str, password: str = PASSWORD, **values: str) -> httpx.Response:
    return client.post(f"{INVITATIONS}/accept", json={"token": token, "password": password, **values})


@pytest.fixture(scope="session")
def join(server: Server, mailbox: Mailbox) -> Callable[..., Person]:
    """Return a function that invites a new user, who accepts."""

    def join(owner: Person, role: str = "member") -> Person:
        email, client = new_address(), anybody(server)
        invite(owner, email, role)
        answer = accept(client, mailbox.token(email))
        assert answer.status_code == 200, answer.text
        return Person(client, email, answer.json())

    return join


def test_invited_user_joins_and_is_removed(server: Server, owner: Person, mailbox: Mailbox) -> None:
    email, client = new_address(), anybody(server)
    invitation = invite(owner, email.upper())
    assert invitation.keys() == {"id", "email", "role", "expires_at", "created_at"}
    assert (invitation["email"], invitation["role"]) == (email, "member")
    assert owner.get(INVITATIONS)["items"] == [invitation]
    answer = accept(client, mailbox.token(email), name="Grace")
    assert (answer.status_code, "no-store" in answer.headers["cache-control"]) == (200, True)
    person = Person(client, email, answer.json())
    me = person.get(ME)
    assert (me["email"], me["name"], me["role"]) == (email, "Grace", "member")
    assert me["organization"] == owner.get(ME)["organization"]
    assert owner.get(INVITATIONS)["items"] == []
    first = owner.get(MEMBERS, limit=1)
    rest = owner.get(MEMBERS, limit=1, cursor=first["next_cursor"])["items"]
    assert [item["email"] for item in first["items"] + rest] == [owner.email, email]
    assert owner.client.delete(f"{MEMBERS}/{person.member_id()}").status_code == 204
    problem(person.client.get(ME), 401)
    assert person.is_signed_out()
    assert sign_in(client, email, PASSWORD).status_code == 403


def test_known_user_joins_with_their_password(server: Server, owner: Person, ada: Person, mailbox: Mailbox) -> None:
    invite(owner, ada.email, "viewer")
    token = mailbox.token(ada.email)
    problem(accept(anybody(server), token, NEW_PASSWORD), 401)
    client = anybody(server)
    joined = Person(client, ada.email, accept(client, token).json())
    assert (joined.get(ME)["role"], joined.get(ME)["organization"]) == ("viewer", owner.get(ME)["organization"])
    assert len(joined.get(ORGANIZATIONS)["items"]) == 2
    again = owner.client.post(INVITATIONS, json={"email": ada.email, "role": "member"})
    assert problem(again, 409)["type"] == "urn:problem:already-member"
    assert client.delete(f"{MEMBERS}/{joined.member_id()}").status_code == 204
    problem(client.get(ME), 401)


def test_tokens_that_are_not_valid_any_more(server: Server, owner: Person, mailbox: Mailbox) -> None:
    email, client = new_address(), anybody(server)
    invite(owner, email)
    replaced = mailbox.token(email)
    path = f"{INVITATIONS}/{invite(owner, email, 'viewer')['id']}"
    resent = mailbox.token(email, 2)
    assert [item["role"] for item in owner.get(INVITATIONS)["items"]] == ["viewer"]
    assert owner.client.post(f"{path}/resend").status_code == 204
    revoked = mailbox.token(email, 3)
    assert owner.client.delete(path).status_code == 204
    for token in (replaced, resent, revoked, f"{revoked}x", "x"):
        assert problem(accept(client, token), 404)["type"] == "urn:problem:invitation-not-found"
    for answer in (owner.client.delete(path), owner.client.post(f"{path}/resend")):
        assert problem(answer, 404)["type"] == "urn:problem:invitation-not-found"
    assert not may_sign_in(server, email, PASSWORD)


def test_invitations_are_for_owners(ada: Person, owner: Person, join: Callable[..., Person]) -> None:
    body = {"email": new_address(), "role": "viewer"}
    path = f"{INVITATIONS}/{invite(owner, body['email'])['id']}"
    member = join(owner)
    problem(member.client.get(INVITATIONS), 403)
    problem(member.client.post(INVITATIONS, json=body), 403)
    for person, status in ((member, 403), (ada, 404)):
        problem(person.client.delete(path), status)
        problem(person.client.post(f"{path}/resend"), status)
    assert owner.client.delete(path).status_code == 204
    for wrong, pointer in (({"email": "x"}, "#/email"), ({"role": "admin"}, "#/role")):
        invalid(owner.client.post(INVITATIONS, json={**body, **wrong}), pointer)


def test_concurrent_accepts_make_one_member(server: Server, owner: Person, mailbox: Mailbox) -> None:
    email = new_address()
    invite(owner, email)
    token = mailbox.token(email)
    with ThreadPoolExecutor(50) as pool:
        statuses = [answer.status_code for answer in pool.map(lambda _: accept(anybody(server), token), range(50))]
    # On SQLite, some may wait too long for the write lock.
    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 401, 404, 503}
    assert [item["email"] for item in owner.get(MEMBERS)["items"]].count(email) == 1


def test_roles_are_changed_by_owners_and_anybody_leaves(owner: Person, join: Callable[..., Person]) -> None:
    viewer, member = join(owner, "viewer"), join(owner)
    path = f"{MEMBERS}/{viewer.member_id()}"
    assert viewer.client.patch(ME, json={"name": "A viewer"}).status_code == 200
    for person in (viewer, member):
        problem(person.client.patch(f"{MEMBERS}/{owner.member_id()}", json={"role": "viewer"}), 403)
        problem(person.client.delete(f"{MEMBERS}/{owner.member_id()}"), 403)
    answer = owner.client.patch(path, json={"role": "member"})
    assert (answer.status_code, answer.json()["role"], answer.json()["email"]) == (200, "member", viewer.email)
    assert viewer.get(ME)["role"] == "member"
    for person in (viewer, member):
        assert person.client.delete(f"{MEMBERS}/{person.member_id()}").status_code == 204
        problem(person.client.get(ME), 401)


def test_two_owners_cannot_remove_each_other(new_owner: NewOwner, join: Callable[..., Person]) -> None:
    for demote in (True, False):
        first = new_owner()
        second = join(first, "owner")
        paths = [f"{MEMBERS}/{each.member_id()}" for each in (second, first)]

        def act(person: Person, path: str, demote: bool = demote) -> int:
            body = {"role": "viewer"}
            answer = person.client.patch(path, json=body) if demote else person.client.delete(path)
            return answer.status_code

        with ThreadPoolExecutor() as pool:
            statuses = set(pool.map(act, (first, second), paths))
        assert len(statuses & {200, 204}) == 1
        assert statuses <= {200, 204, 401, 403, 404, 409}
        (left,) = [each for each in (first, second) if each.client.get(MEMBERS).status_code == 200][:1]
        owners = [item for item in left.get(MEMBERS)["items"] if item["role"] == "owner"]
        assert len(owners) == 1


def test_password_is_reset_once(server: Server, new_owner: NewOwner, mailbox: Mailbox) -> None:
    person, client = new_owner(), anybody(server)
    for count in (1, 2):
        answer = client.post(RESET, json={"email": person.email.upper()})
        assert (answer.status_code, answer.content) == (202, b"")
        mailbox.to(person.email, count)
    unknown = client.post(RESET, json={"email": new_address()})
    assert (unknown.status_code, unknown.content) == (202, b"")
    token = mailbox.token(person.email, 2)
    for wrong, password, pointer in ((token, "short", "#/new_password"), (f"{token}x", NEW_PASSWORD, "#/token")):
        invalid(client.post(f"{RESET}/confirm", json={"token": wrong, "new_password": password}), pointer)
    body = {"token": token, "new_password": NEW_PASSWORD}
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda _: client.post(f"{RESET}/confirm", json=body), range(3)))
    assert sorted(answer.status_code for answer in answers) == [204, 422, 422]
    problem(person.client.get(ME), 401)
    assert person.is_signed_out()
    assert not may_sign_in(server, person.email, PASSWORD)
    assert may_sign_in(server, person.email, NEW_PASSWORD)


@pytest.mark.parametrize("known", [True, False])
def test_requests_to_reset_are_limited(server: Server, new_owner: NewOwner, known: bool) -> None:
    client, email = anybody(server), new_owner().email if known else new_address()
    statuses = [client.post(RESET, json={"email": email}).status_code for _ in range(12)]
    assert set(statuses) == {202, 429}
    assert statuses == sorted(statuses)


def test_mail_server_that_is_down_breaks_no_request(project: Path, database: str, owner: Person) -> None:
    with serving(project, DATABASE_URL=database, EMAIL_URL="smtp://127.0.0.1:1", DEBUG="false") as running:
        person = Person.signed_in(running, owner.email)
        invite(person, new_address())
        assert person.client.post(RESET, json={"email": owner.email}).status_code == 202
        deadline = time.monotonic() + 10
        while '"level": "error"' not in running.log.read_text():
            assert time.monotonic() < deadline, "nothing was logged as an error"
            time.sleep(0.1)
        assert '"status": 500' not in running.log.read_text()


def test_everything_needs_a_token(project: Path, server: Server) -> None:
    for place in (place for name, (place, _, _) in OPERATIONS.items() if name not in OPEN):
        method, path = re.sub(r"{\w+}", UNKNOWN_ID, place).split()
        problem(anybody(server).request(method, path), 401)
