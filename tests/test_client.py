"""Clients generated from the committed contract are typed and work, and the contract has examples."""

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from servers import CREDENTIALS, Server, clean_environment

pytestmark = pytest.mark.parametrize("generated", ["fastapi", "flask"], indirect=True, scope="session")

# A script that uses the client; mypy checks it, then it runs.
SCRIPT = '''\
"""Create an invoice, find it again, and void it twice."""

import sys

from shop_client import AuthenticatedClient, Client
from shop_client.api.auth import auth_create_token
from shop_client.api.billing import billing_create_invoice, billing_get_invoice, billing_list_invoices
from shop_client.api.billing import billing_void_invoice
from shop_client.models import CredentialsForm, InvoiceIn, InvoiceNotOpenProblem, InvoiceOut, InvoicePage
from shop_client.models import InvoiceStatus, TokenOut

url, username, password = sys.argv[1:]
token = auth_create_token.sync(client=Client(base_url=url), body=CredentialsForm(username=username, password=password))
assert isinstance(token, TokenOut), token
client = AuthenticatedClient(base_url=url, token=token.access_token, raise_on_unexpected_status=True)

wanted = InvoiceIn.from_dict({"customer": "Initech", "amount_cents": 12_50, "currency": "EUR"})
older = billing_create_invoice.sync(client=client, body=wanted, idempotency_key="typed-older")
newer = billing_create_invoice.sync(client=client, body=wanted, idempotency_key="typed-newer")
assert isinstance(older, InvoiceOut), older
assert isinstance(newer, InvoiceOut), newer
assert billing_create_invoice.sync(client=client, body=wanted, idempotency_key="typed-newer") == newer

first = billing_list_invoices.sync(client=client, limit=1)
assert isinstance(first, InvoicePage) and first.next_cursor, first
second = billing_list_invoices.sync(client=client, limit=1, cursor=first.next_cursor)
assert isinstance(second, InvoicePage), second
assert [*first.items, *second.items] == [newer, older]

assert billing_get_invoice.sync(older.id, client=client) == older
voided = billing_void_invoice.sync(older.id, client=client)
assert isinstance(voided, InvoiceOut) and voided.status is InvoiceStatus.VOID, voided

answer = billing_void_invoice.sync_detailed(older.id, client=client)
assert isinstance(answer.parsed, InvoiceNotOpenProblem), answer
print(answer.status_code.value, int(answer.parsed.status))
'''


def run(folder: Path, *arguments: str) -> str:
    """Run a Python module and return its output. Raise AssertionError with the output if it fails."""
    result = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=clean_environment(),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert result.returncode == 0, result.stdout[-6000:] + result.stderr[-6000:]
    return result.stdout + result.stderr


@pytest.fixture(scope="session")
def typed_client(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the generated client and the script. Fails if the generator skips an operation."""
    folder = tmp_path_factory.mktemp("client")
    source, target = project / "docs" / "openapi.json", folder / "shop_client"
    options = [f"--path={source}", f"--output-path={target}", "--meta=none", "--fail-on-warning"]
    said = run(folder, "-m", "openapi_python_client", "generate", *options)
    assert "warning" not in said.lower(), said
    (folder / "script.py").write_text(SCRIPT, encoding="utf-8")
    return folder


def test_client_has_every_operation(typed_client: Path, contract: dict[str, Any]) -> None:
    made = {path.stem for path in (typed_client / "shop_client" / "api").glob("*/[!_]*.py")}
    assert made == {operation["operationId"] for _, operation in operations(contract)}


def test_client_is_typed(typed_client: Path) -> None:
    # Excluded: code that does not depend on the contract, and streams, which the generator does not support.
    api = typed_client.glob("shop_client/api/*/*.py")
    files = [str(path) for path in api if path.name not in {"billing_follow_invoices.py", "events_create_summary.py"}]
    options = ["--strict", "--follow-imports=silent", "--config-file=", "--cache-dir=.mypy"]
    run(typed_client, "-m", "mypy", *options, "shop_client/models", "script.py", *files)


def test_client_works_with_the_server(typed_client: Path, server: Server) -> None:
    said = run(typed_client, "script.py", server.url, *CREDENTIALS.values())
    assert said == "409 409\n"


@pytest.fixture(scope="session")
def contract(project: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((project / "docs" / "openapi.json").read_text(encoding="utf-8"))
    return document


def operations(contract: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each operation with its method and path."""
    for path, item in contract["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


def bodies(contract: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the schema and location of each request body and success response, except streams."""
    for name, operation in operations(contract):
        found = [("request", operation.get("requestBody", {}))]
        found += [each for each in operation["responses"].items() if each[0].startswith("2")]
        for part, described in found:
            for media_type, content in described.get("content", {}).items():
                if media_type != "text/event-stream":
                    yield f"{name} {part} {media_type}", content["schema"]


def examples(contract: dict[str, Any], schema: dict[str, Any]) -> list[Any]:
    """Return the examples of a schema, or of its alternatives if all have examples."""
    if "$ref" in schema:
        schema = contract["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    alternatives = schema.get("anyOf", schema.get("oneOf"))
    if alternatives and "examples" not in schema:
        alternatives = [examples(contract, each) for each in alternatives]
        return [*itertools.chain(*alternatives)] if all(alternatives) else []
    found: list[Any] = schema.get("examples", [])
    return found


def test_bodies_have_valid_examples(contract: dict[str, Any]) -> None:
    found = dict(bodies(contract))
    assert len(found) >= 8
    for name, schema in found.items():
        if "/api/v1/items" in name:
            continue  # the scaffold, whose owner describes it
        shown = examples(contract, schema)
        assert shown, f"{name} has no example"
        validator = jsonschema_rs.Draft202012Validator(
            {**schema, "components": contract["components"]}, validate_formats=True
        )
        for example in shown:
            validator.validate(example)


def test_errors_have_valid_examples(contract: dict[str, Any]) -> None:
    for name, operation in operations(contract):
        for status, answer in operation["responses"].items():
            content = answer.get("content", {}).get("application/problem+json")
            if content is None:
                continue
            validator = jsonschema_rs.Draft202012Validator(
                {**content["schema"], "components": contract["components"]}, validate_formats=True
            )
            shown = content.get("examples", {})
            assert shown or status == "default", f"{name} {status} has no example"
            for example in shown.values():
                validator.validate(example["value"])
                assert example["value"]["status"] == int(status)
