"""Black-box suite for the pages and admins of FastAPI and Flask."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from servers import CREDENTIALS, PASSWORD, Server, headers_for, just, problem
from support import answers_of

pages = pytest.mark.parametrize("generated", ["fastapi-pages", "flask-pages"], indirect=True, scope="session")
exporting = pytest.mark.parametrize("generated", ["fastapi-pages"], indirect=True, scope="session")

# The views of the admin, and the link to a row in a list.
EVENTS = {"fastapi": "payment-event", "flask": "webhook-event"}
VIEWS = ("organization", "user", "membership", "audit-entry", "invoice", "event")
DETAILS = re.compile(r"/admin/[a-z-]+/details/([^\"?]+)")


@contextmanager
def browser(server: Server) -> Iterator[httpx.Client]:
    headers = {"accept": "text/html", "sec-fetch-site": "same-origin"}
    with httpx.Client(base_url=server.url, timeout=15, headers=headers) as session:
        yield session


@pytest.fixture
def stranger(server: Server) -> Iterator[httpx.Client]:
    with browser(server) as session:
        yield session


@pytest.fixture
def ada(server: Server) -> Iterator[httpx.Client]:
    """The owner of Acme, signed in; also staff if there is an admin."""
    with browser(server) as session:
        sign_in(session, "ada@example.com")
        yield session


@pytest.fixture
def grace(server: Server) -> Iterator[httpx.Client]:
    """The owner of Globex, signed in, also staff."""
    with browser(server) as session:
        sign_in(session, "grace@example.com")
        yield session


def sign_in(session: httpx.Client, email: str, **form: str) -> httpx.Response:
    answer = session.post("/sign-in", data={"email": email, "password": PASSWORD, **form})
    assert answer.status_code == 303, answer.text
    return answer


@pages
def test_sign_in_redirects_to_the_requested_page(stranger: httpx.Client) -> None:
    asked = stranger.get("/invoices?status=paid")
    assert (asked.status_code, asked.headers["location"]) == (303, "/sign-in?next=/invoices%3Fstatus%3Dpaid")
    form = stranger.get(asked.headers["location"])
    (following,) = re.findall(r'name="next" value="([^"]*)"', form.text)
    wrong = stranger.post("/sign-in", data={"email": CREDENTIALS["username"], "password": "wrong"})
    assert wrong.status_code == 401
    answer = sign_in(stranger, CREDENTIALS["username"], next=following)
    assert answer.headers["location"] == "/invoices?status=paid"
    assert {"httponly", "samesite=lax"} <= set(answer.headers["set-cookie"].lower().split("; "))
    assert "paid</td>" in stranger.get(answer.headers["location"]).text


@pages
@pytest.mark.parametrize(
    "following",
    [
        "https://evil.example",
        "https:evil.example",
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "/\r\nLocation: https://evil.example",
        "%2F%2Fevil.example",
    ],
)
def test_sign_in_does_not_redirect_to_other_sites(following: str, stranger: httpx.Client) -> None:
    assert sign_in(stranger, CREDENTIALS["username"], next=following).headers["location"] == "/invoices"


@pages
def test_invoice_is_created_and_voided(ada: httpx.Client) -> None:
    (key,) = re.findall(r'name="key" value="([^"]+)"', ada.get("/invoices/new").text)
    form = {"key": key, "customer": "Initech & Sons", "amount": "12.50", "currency": "EUR"}
    created = ada.post("/invoices/new", data=form)
    assert created.status_code == 303
    page = ada.get(created.headers["location"])
    assert "Initech &amp; Sons" in page.text
    assert "12.50 EUR" in page.text
    path = f"{created.headers['location']}/void"
    for foreign in ({"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "", "origin": "https://evil.example"}):
        assert ada.post(path, headers=foreign).status_code == 403
    assert ada.post(path).status_code == 303
    assert '<dd class="void">void</dd>' in ada.get(created.headers["location"]).text


@pages
def test_sign_out_ends_the_session(ada: httpx.Client, stranger: httpx.Client) -> None:
    copied = {"cookie": f"session={ada.cookies['session']}"}
    assert stranger.get("/profile", headers=copied).status_code == 200
    assert ada.get("/sign-out").status_code == 405
    assert ada.post("/sign-out").status_code == 303
    assert stranger.get("/profile", headers=copied).status_code == 303


@pages
def test_errors_are_html_for_browsers_and_problems_for_the_api(ada: httpx.Client) -> None:
    page = ada.get("/nowhere")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert page.headers["x-request-id"] in page.text
    problem(ada.get("/nowhere", headers={"accept": "*/*"}), 404)
    problem(ada.get("/health/nowhere"), 404)
    # The API does not accept the cookie.
    problem(ada.get("/api/v1/invoices"), 401)


@pages
def test_pages_are_not_in_the_contract(stranger: httpx.Client) -> None:
    paths = stranger.get("/openapi.json").json()["paths"]
    assert all(path.startswith(("/api/", "/health/", "/webhooks/")) for path in paths)


@pages
def test_admin_is_only_for_staff(project: Path, database: str, stranger: httpx.Client) -> None:
    assert stranger.get("/admin/invoice/list").headers["location"] == "/sign-in?next=/admin/invoice/list"
    just(project, "revoke-staff", "grace@example.com", DATABASE_URL=database)
    sign_in(stranger, "grace@example.com")
    assert stranger.get("/admin/").status_code == 403
    just(project, "create-staff", "GRACE@example.com", DATABASE_URL=database)
    assert stranger.get("/admin/").status_code == 200


def path_of(view: str, project: Path) -> str:
    """Return the path segment of a view. The name of the webhook view depends on the framework."""
    return EVENTS[answers_of(project)["framework"]] if view == "event" else view


@pytest.fixture
def webhooks_of_both_tenants(ada: httpx.Client, grace: httpx.Client) -> None:
    """Deliver a payment webhook for an invoice of each organization."""
    for session in (ada, grace):
        (row, *_) = DETAILS.findall(session.get("/admin/invoice/list?status=paid").text)
        body = json.dumps({"type": "payment.succeeded", "data": {"invoice_id": row}}).encode()
        headers = {**headers_for(body), "content-type": "application/json"}
        assert session.post("/webhooks/payments", content=body, headers=headers).status_code == 202


@pages
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.usefixtures("webhooks_of_both_tenants")
def test_admin_hides_other_tenants(view: str, project: Path, ada: httpx.Client, grace: httpx.Client) -> None:
    view = path_of(view, project)
    listed = {name: session.get(f"/admin/{view}/list?pageSize=100") for name, session in (("a", ada), ("g", grace))}
    assert {answer.status_code for answer in listed.values()} == {200}
    mine, theirs = (set(DETAILS.findall(listed[name].text)) for name in ("a", "g"))
    assert mine
    assert theirs
    assert not mine & theirs
    for row in list(theirs)[:3]:
        assert ada.get(f"/admin/{view}/details/{row}").status_code == 404
        for path in (f"details/{row}", f"edit/{row}"):
            answer = ada.get(f"/admin/{view}/{path}")
            assert answer.status_code in {403, 404}, path
            assert "Globex" not in answer.text
        for action in ("edit", "void", "activate", "deactivate"):
            refused = ada.post(f"/admin/{view}/{action}/{row}", data={"name": "Mine", "customer": "Mine"})
            assert refused.status_code in {403, 404}
    for term in ("globe", "grace"):
        found = ada.get(f"/admin/{view}/list", params={"search": term})
        assert not theirs & set(DETAILS.findall(found.text))


@exporting
@pytest.mark.parametrize("view", VIEWS)
def test_export_hides_other_tenants(view: str, project: Path, ada: httpx.Client, grace: httpx.Client) -> None:
    view = path_of(view, project)
    theirs = DETAILS.findall(grace.get(f"/admin/{view}/list?pageSize=100").text)
    assert theirs
    exported = ada.get(f"/admin/{view}/export/csv").text
    assert len(exported.splitlines()) > 1
    for name in ("Globex", "grace@example.com", *theirs):
        assert name not in exported


@pages
def test_voiding_in_the_admin_is_audited(ada: httpx.Client) -> None:
    (row, *_) = DETAILS.findall(ada.get("/admin/invoice/list?status=open").text)
    details = ada.get(f"/admin/invoice/details/{row}").text
    assert f'action="/admin/invoice/void/{row}"' in details
    answer = ada.post(f"/admin/invoice/void/{row}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/admin/invoice/details/{row}")
    trail = ada.get("/admin/audit-entry/list?search=invoice.voided").text
    assert row in trail
    assert "ada@example.com" in trail


@pages
def test_forged_session_is_rejected(stranger: httpx.Client) -> None:
    for made_up in ("x", "A" * 43, "e30.e30.e30"):
        answer = stranger.get("/profile", headers={"cookie": f"session={made_up}"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/profile")


@pages
def test_pages_use_only_own_assets(project: Path, server: Server, ada: httpx.Client) -> None:
    of_the_admin = ("/admin/", "/admin/invoice/list") if answers_of(project).get("admin_ui") else ()
    for path in ("/invoices", "/invoices/new", "/profile", *of_the_admin):
        page = ada.get(path)
        assert page.status_code == 200
        policy = page.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert not re.search(r"<script(?![^>]* src=)|<style| style=| on[a-z]+=", page.text)
        for asset in re.findall(r'(?:<link[^>]* href|src)="([^"]+)"', page.text):
            assert asset.startswith((f"{server.url}/", "/"))
            assert ada.get(asset).status_code == 200
