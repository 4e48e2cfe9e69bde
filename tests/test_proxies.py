"""Behind a reverse proxy: forwarded hosts, trusted origins, a path prefix, a trailing dot in Host."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit
from uuid import uuid4

import httpx
import pytest
from servers import (
    CREDENTIALS,
    PRODUCTION,
    Server,
    authorization,
    clean_environment,
    problem,
    runs,
    serving,
    working_copy,
)
from support import answers_of

everywhere = pytest.mark.parametrize("generated", ["django", "fastapi", "flask"], indirect=True, scope="session")
below_prefix = pytest.mark.parametrize("generated", ["django", "fastapi", "flask"], indirect=True, scope="session")
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="session")
django = pytest.mark.parametrize("generated", ["django"], indirect=True, scope="session")

ITEMS = "/api/v1/items"
PREFIX = "/svc"
HOST = "shop.example.com"
INVOICE = {"customer": "Initech", "amount_cents": 12_50, "currency": "EUR"}


@pytest.fixture(scope="session")
def behind_proxy(project: Path, database: str) -> Iterator[Server]:
    """A server behind one proxy, which strips the prefix /svc."""
    variables = {"ALLOWED_HOSTS": f"{HOST},127.0.0.1", "PROXY_HOPS": "1", "ROOT_PATH": PREFIX}
    with serving(project, DATABASE_URL=database, **variables) as running:
        yield running


@everywhere
@on_sqlite
def test_forwarded_host_of_a_proxy_is_trusted(project: Path, behind_proxy: Server) -> None:
    token = authorization(project, behind_proxy)
    for headers, status in (
        ({"host": HOST}, 200),
        ({"host": f"{HOST}."}, 200),
        ({"host": f"{HOST}.:443"}, 200),
        ({"host": "10.0.0.5:8000"}, 400),
        ({"host": "10.0.0.5:8000", "x-forwarded-host": HOST}, 200),
        ({"host": HOST, "x-forwarded-host": "evil.example.com"}, 400),
        ({"host": f"{HOST}.evil.example.com"}, 400),
        ({"host": f"{HOST}.."}, 400),
    ):
        answer = httpx.get(f"{behind_proxy.url}{ITEMS}", headers={**token, **headers}, timeout=15)
        assert answer.status_code == status, (headers, answer.text)


@everywhere
@on_sqlite
def test_forwarded_host_without_proxy_is_ignored(server: Server) -> None:
    headers = {"host": "evil.example.com", "x-forwarded-host": "127.0.0.1"}
    problem(httpx.get(f"{server.url}{ITEMS}", headers=headers, timeout=15), 400)


@below_prefix
@on_sqlite
def test_pages_below_a_path_prefix_find_what_they_load(project: Path, behind_proxy: Server) -> None:
    paths = {"django": ["/docs", "/admin/login/"], "fastapi": ["/docs", "/redoc"], "flask": ["/docs"]}
    for path in paths[answers_of(project)["framework"]]:
        page = httpx.get(f"{behind_proxy.url}{path}", timeout=15)
        assert page.status_code == 200, page.text
        # Scripts, styles and images, and the contract where the page or a script of its own names it.
        found = set(re.findall(r'(?:src|href)="([^"#]+)"', page.text))
        found |= set(re.findall(r"[\"']([^\"']*openapi\.json)[\"']", page.text))
        assert found, path
        for reference in found:
            if not reference.startswith("data:"):
                target = urlsplit(urljoin(f"http://{HOST}{PREFIX}{path}", reference))
                assert target.path.startswith(f"{PREFIX}/"), f"{path} loads {reference}"
                asset = f"{behind_proxy.url}{target.path.removeprefix(PREFIX)}?{target.query}"
                assert httpx.get(asset, timeout=15, headers={"accept": "*/*"}).status_code < 400, reference


@everywhere
@on_sqlite
def test_contract_and_locations_are_below_the_path_prefix(project: Path, behind_proxy: Server) -> None:
    contract = httpx.get(f"{behind_proxy.url}/openapi.json", timeout=15).json()
    assert [server["url"] for server in contract["servers"]] == [PREFIX]
    assert all(not path.startswith(PREFIX) for path in contract["paths"])
    headers = {**authorization(project, behind_proxy), "idempotency-key": uuid4().hex}
    created = httpx.post(f"{behind_proxy.url}/api/v1/invoices", json=INVOICE, headers=headers, timeout=15)
    assert created.status_code == 201, created.text
    assert urlsplit(created.headers["location"]).path.startswith(f"{PREFIX}/api/v1/invoices/")


@django
@on_sqlite
def test_staff_sign_in_behind_a_proxy_that_changes_host_or_port(project: Path, database: str, tmp_path: Path) -> None:
    copy = working_copy(project, tmp_path / "shop")
    variables = {**PRODUCTION, "ALLOW_SQLITE": "true", "DATABASE_URL": database, **runs(copy)}
    variables["TRUSTED_ORIGINS"] = f"https://{HOST}:8443"
    collect = [str(copy / ".venv/bin/python"), "manage.py", "collectstatic", "--no-input", "--verbosity=0"]
    subprocess.run(collect, cwd=copy, env=clean_environment(**variables), check=True)
    with serving(copy, **variables) as running:
        url = f"{running.url}/admin/login/"
        for headers, status in (
            ({"host": HOST, "origin": f"https://{HOST}"}, 302),
            ({"host": HOST, "origin": f"https://{HOST}:8443"}, 302),
            ({"host": "10.0.0.5:8000", "x-forwarded-host": HOST, "origin": f"https://{HOST}"}, 302),
            ({"host": "10.0.0.5:8000", "x-forwarded-host": HOST, "origin": "https://evil.example.com"}, 403),
        ):
            headers["x-forwarded-proto"] = "https"
            page = httpx.get(url, headers=headers, timeout=15)
            assert page.status_code == 200, page.text
            (token,) = set(re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text))
            cookies = "; ".join(f"{name}={value}" for name, value in page.cookies.items())
            form = {**CREDENTIALS, "csrfmiddlewaretoken": token, "next": "/admin/"}
            answer = httpx.post(url, data=form, headers={**headers, "cookie": cookies}, timeout=15)
            assert answer.status_code == status, (headers, answer.text[:300])
