"""Settings and webhook signatures of generated projects, asked in their own environment."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from servers import clean_environment
from support import FRAMEWORKS

pytestmark = pytest.mark.parametrize("generated", FRAMEWORKS, indirect=True, scope="session")

SETTINGS = """
import json, sys
from pydantic import ValidationError
from shop.core.settings import Settings
Settings.model_config["env_file"] = None
accepted = []
for name, value in json.load(sys.stdin):
    try:
        Settings.model_validate({name: value})
        accepted.append([name, value])
    except ValidationError as error:
        assert error.errors()[0]["loc"] == (name,), error
print(json.dumps(accepted))
"""
MALFORMED = [
    *(("database_url", url) for url in (
        "sqlite://db.sqlite3", "sqlite:///:memory:", "sqlite:///db.sqlite3?mode=ro", "postgresql://shop@db:port/shop",
        "postgresql://", "postgresql://db/shop?pgbouncer=true", "mysql://db/shop", "db.sqlite3",
    )),
    *(("allowed_hosts", host) for host in ("https://app.example.com", "*.example.com", '["app.example.com"', "a b")),
    *((name, origin) for name in ("cors_origins", "trusted_origins") for origin in (
        "*", "app.example.com", "https://app.example.com/", "https://a.com/b", "https://", "ftp://a.com",
    )),
    *(("host", host) for host in ("app.example.com", "127.0.0.1:8000", "[::1]")),
    *(("root_path", path) for path in ("shop", "/shop/", "/", "/a b")),
    *(("webhook_secrets", secret) for secret in ("secret", "whsec_", "whsec_c2hvcnQ=", "whsec_***")),
    ("port", "65536"), ("proxy_hops", "-1"), ("max_body_bytes", "0"), ("web_concurrency", "banana"),
]  # fmt: skip
WELL_FORMED = [
    *(("database_url", url) for url in (
        "sqlite:///db.sqlite3", "postgres://shop:p%40ss@db/shop", "postgresql://shop@a:5432,b/shop?sslmode=require",
        "postgresql://shop@%2Fvar%2Frun%2Fpostgresql/shop", "postgresql://[::1]:5432/shop",
    )),
    ("allowed_hosts", "app.example.com, .example.org, [::1], *"),
    ("cors_origins", "https://app.example.com,http://localhost:3000,http://[::1]:3000"),
    ("host", "localhost"), ("host", "::1"), ("root_path", "/a/shop-1"), ("root_path", ""),
    ("webhook_secrets", f"whsec_{'c2VjcmV0' * 4},whsec_{'c2VjcmV0' * 5}"), ("webhook_secrets", "change-me"),
]  # fmt: skip

# The published example of Standard Webhooks.
WEBHOOKS = """
from shop.core.webhooks import InvalidWebhookError, sign, verify
secret, id = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek"
time, body = 1614265330, b'{"test": 2432232314}'
signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
headers = {"webhook-id": id, "webhook-timestamp": str(time), "webhook-signature": signature}
assert sign(secret, webhook_id=id, timestamp=time, body=body) == headers["webhook-signature"]
other = "whsec_" + "c2VjcmV0" * 4
for secrets in ([secret], [other, secret]):
    for now in (time - 300, time + 300):
        assert verify(secrets, headers, body, now) == id
def rejected(secrets, headers, body, now):
    try:
        verify(secrets, headers, body, now)
    except InvalidWebhookError:
        return True
    return False
assert rejected([secret], headers, body, time + 301) and rejected([secret], headers, body, time - 301)
assert rejected([], headers, body, time) and rejected([other], headers, body, time)
for position in range(len(body)):
    altered = bytearray(body)
    altered[position] ^= 1
    assert rejected([secret], headers, bytes(altered), time)
for name in headers:
    for value in ("", headers[name][:-1] + "1", "x" * 300):
        assert rejected([secret], {**headers, name: value}, body, time)
"""


def run(project: Path, script: str, given: Any = None) -> str:
    """Run a script with the project's Python and return what it prints."""
    result = subprocess.run(
        [str(project / ".venv" / "bin" / "python"), "-c", script],
        cwd=project,
        env=clean_environment(ENVIRONMENT="local"),
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_malformed_settings_are_rejected(project: Path) -> None:
    assert json.loads(run(project, SETTINGS, MALFORMED)) == []


def test_well_formed_settings_are_accepted(project: Path) -> None:
    assert json.loads(run(project, SETTINGS, WELL_FORMED)) == [list(each) for each in WELL_FORMED]


def test_webhook_signatures_are_those_of_standard_webhooks(project: Path) -> None:
    run(project, WEBHOOKS)
