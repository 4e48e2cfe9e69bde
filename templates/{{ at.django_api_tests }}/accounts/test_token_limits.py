"""Failed sign-ins to the API count as those to the admin do."""

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from django.test import Client

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as TestResponse

pytestmark = pytest.mark.usefixtures("grace")


def ask(client: Client, username: str, password: str) -> "TestResponse":
    form = urlencode({"username": username, "password": password})
    return client.post("/api/v1/auth/token", form, "application/x-www-form-urlencoded")


@pytest.mark.parametrize("username", ["grace@example.com", "nobody@example.com"])
def test_tenth_failure_is_rate_limited(client: Client, username: str, password: str) -> None:
    for _ in range(9):
        assert ask(client, username, "wrong").status_code == 401
    for attempt in ("wrong", password):
        answer = ask(client, username, attempt)
        assert (answer.status_code, answer["Retry-After"]) == (429, "900")
        assert answer["Content-Type"] == "application/problem+json"


def test_lock_holds_for_the_admin_too(client: Client, password: str) -> None:
    for _ in range(10):
        answer = ask(client, "Grace@example.com", "wrong")
    assert answer.status_code == 429
    form = {"username": "grace@example.com", "password": password}
    assert client.post("/admin/login/", form).status_code == 429


def test_address_may_grow_when_normalized(client: Client) -> None:
    assert ask(client, "\ufdfa" * 254, "wrong").status_code == 401
