"""Failed sign-ins are limited per account and per client, without locking out others."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from servers import CREDENTIALS, PASSWORD, TOKEN, Server, just, problem, seed, serving

pytestmark = pytest.mark.parametrize("generated", ["django", "fastapi", "flask"], indirect=True, scope="session")

PER_ACCOUNT, PER_CLIENT = 3, 8
WRONG = "not the password of anybody"


@pytest.fixture(scope="session")
def limited(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server behind a proxy with low limits and its own database."""
    url = f"sqlite:///{tmp_path_factory.mktemp('limits') / 'db.sqlite3'}"
    just(project, "migrate", DATABASE_URL=url)
    seed(project, DATABASE_URL=url)
    variables = {
        "SIGN_IN_FAILURES_PER_ACCOUNT": str(PER_ACCOUNT),
        "SIGN_IN_FAILURES_PER_CLIENT": str(PER_CLIENT),
        "PROXY_HOPS": "1",
    }
    with serving(project, DATABASE_URL=url, **variables) as running:
        yield running


def sign_in(server: Server, client: str, username: str, password: str) -> httpx.Response:
    form = {"grant_type": "password", "username": username, "password": password}
    return httpx.post(f"{server.url}{TOKEN}", data=form, headers={"x-forwarded-for": client}, timeout=30)


def limited_after(statuses: list[int], failures: int) -> None:
    """Return whether failures are limited from the last allowed one or the next one on."""
    assert statuses == sorted(statuses)
    assert statuses.count(401) in {failures - 1, failures}, statuses
    assert set(statuses) == {401, 429}


def test_failures_over_many_accounts_are_limited_per_client(limited: Server) -> None:
    guesses = [sign_in(limited, "203.0.113.7", f"user{n}@example.com", WRONG) for n in range(12)]
    limited_after([guess.status_code for guess in guesses], PER_CLIENT)
    problem(guesses[-1], 429)
    assert int(guesses[-1].headers["retry-after"]) > 0
    # Also with the right password, or it would be found; a forged first address does not help.
    assert sign_in(limited, "203.0.113.7", CREDENTIALS["username"], PASSWORD).status_code == 429
    assert sign_in(limited, "198.51.100.1, 203.0.113.7", "x@example.com", WRONG).status_code == 429
    assert sign_in(limited, "203.0.113.8", CREDENTIALS["username"], PASSWORD).status_code == 200


def test_failures_for_one_account_are_limited_per_client(limited: Server) -> None:
    guesses = [sign_in(limited, "203.0.113.9", "grace@example.com", WRONG).status_code for _ in range(5)]
    limited_after(guesses, PER_ACCOUNT)
    assert sign_in(limited, "203.0.113.9", CREDENTIALS["username"], PASSWORD).status_code == 200
    assert sign_in(limited, "203.0.113.10", "grace@example.com", PASSWORD).status_code == 200


def test_sign_in_below_the_limit_works(limited: Server) -> None:
    statuses = [
        sign_in(limited, "203.0.113.11", CREDENTIALS["username"], password).status_code
        for password in (WRONG, WRONG, PASSWORD, WRONG, WRONG, PASSWORD)
    ]
    assert statuses == [401, 401, 200, 401, 401, 200]
