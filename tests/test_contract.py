"""The contract is the same on all frameworks, and TypeScript clients discriminate its errors and events."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from servers import clean_environment
from support import require

pytestmark = pytest.mark.parametrize("generated", ["django", "fastapi", "flask"], indirect=True, scope="session")

# Newer versions of openapi-ts need Node 22.
PACKAGES = ("openapi-typescript@7.13.0", "@hey-api/openapi-ts@0.94.0", "typescript@5.9.3")
SIGNATURE = {"webhook-id", "webhook-timestamp", "webhook-signature"}
# The operations that all frameworks have: path, tag, parameters.
OPERATIONS: dict[str, tuple[str, str, set[str]]] = {
    "auth_create_token": ("POST /api/v1/auth/token", "auth", set()),
    "billing_create_invoice": ("POST /api/v1/invoices", "billing", {"Idempotency-Key"}),
    "billing_list_invoices": ("GET /api/v1/invoices", "billing", {"limit", "cursor", "status"}),
    "billing_get_invoice": ("GET /api/v1/invoices/{invoice_id}", "billing", {"invoice_id"}),
    "billing_void_invoice": ("POST /api/v1/invoices/{invoice_id}/void", "billing", {"invoice_id"}),
    "webhooks_receive_payment": ("POST /webhooks/payments", "webhooks", SIGNATURE),
    "health_live": ("GET /health/live", "health", set()),
    "health_ready": ("GET /health/ready", "health", set()),
    "items_list_items": ("GET /api/v1/items", "items", {"limit"}),
    "items_get_item": ("GET /api/v1/items/{item_id}", "items", {"item_id"}),
}
# Compiles only where the type of each problem is a literal: a switch over plain strings is never exhaustive.
HEY_API = """
import type { BillingVoidInvoiceErrors } from "./hey-api";

export function status(problem: BillingVoidInvoiceErrors[409]): 409 {
  switch (problem.type) {
    case "urn:problem:invoice-not-open":
      return problem.status;
  }
}
"""
OPENAPI_TYPESCRIPT = """
import type { operations } from "./openapi";

type Problem = operations["billing_void_invoice"]["responses"][409]["content"]["application/problem+json"];

export function status(problem: Problem): 409 {
  switch (problem.type) {
    case "urn:problem:invoice-not-open":
      return problem.status;
  }
}
"""


@pytest.fixture(scope="session")
def contract(project: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((project / "docs" / "openapi.json").read_text(encoding="utf-8"))
    return document


def operations(contract: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], set[str]]]:
    """Yield each operation with its method, path and parameter names."""
    for path, item in contract["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                parameters = [*item.get("parameters", []), *operation.get("parameters", [])]
                yield f"{method.upper()} {path}", operation, {parameter["name"] for parameter in parameters}


def test_shared_operations_have_the_same_ids_tags_and_parameters(contract: dict[str, Any]) -> None:
    found = {
        operation["operationId"]: (place, operation["tags"], parameters)
        for place, operation, parameters in operations(contract)
    }
    expected = {name: (place, [tag], parameters) for name, (place, tag, parameters) in OPERATIONS.items()}
    # Of a scaffold, tests/test_scaffold.py asks more.
    found["items_list_items"][2].difference_update({"cursor", "name"})
    assert {name: found.get(name) for name in expected} == expected


def test_operations_have_a_sentence_as_summary(contract: dict[str, Any]) -> None:
    summaries = {place: operation.get("summary", "") for place, operation, _ in operations(contract)}
    sentence = re.compile(r"[A-Z][a-z]+ [^\n]*[a-z][^\n]*\.")
    assert {place: text for place, text in summaries.items() if not sentence.fullmatch(text)} == {}
    assert len(set(summaries.values())) == len(summaries)


def test_errors_are_named_components(contract: dict[str, Any]) -> None:
    for place, operation, _ in operations(contract):
        for status, answer in operation["responses"].items():
            schema = answer.get("content", {}).get("application/problem+json", {}).get("schema")
            if schema is not None:
                alternatives = schema.get("oneOf") or schema.get("anyOf") or [schema]
                assert all(alternative.keys() == {"$ref"} for alternative in alternatives), f"{place} {status}"


@pytest.fixture(scope="session")
def node_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the generators and the compiler."""
    npm = shutil.which("npm")
    require(npm, "npm is not installed")
    assert npm is not None
    folder = tmp_path_factory.mktemp("npm")
    (folder / "package.json").write_text('{"private": true}')
    command = [npm, "install", "--no-audit", "--no-fund", f"--cache={folder / '.cache'}", *PACKAGES]
    result = subprocess.run(command, cwd=folder, env=clean_environment(), capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-3000:]
    return folder


def test_typescript_clients_discriminate_errors_and_events(
    project: Path, contract: dict[str, Any], node_modules: Path
) -> None:
    source = str(project / "docs" / "openapi.json")
    run(node_modules, "openapi-typescript", source, "--output=openapi.d.ts")
    run(node_modules, "openapi-ts", f"--input={source}", "--output=hey-api", "--plugins=@hey-api/typescript")
    problems = set(re.findall(r"urn:problem:[\w-]+", json.dumps(contract["components"])))
    assert "urn:problem:invoice-not-open" in problems
    events = {name for name in contract["components"]["schemas"] if re.search(r"Event(Request)?$", name)}
    assert events
    for generated in ("openapi.d.ts", "hey-api/types.gen.ts"):
        text = (node_modules / generated).read_text(encoding="utf-8")
        literals = set(re.findall(r"[\"'](urn:problem:[\w-]+)[\"']", text))
        assert literals >= problems, f"{generated} lacks {problems - literals}"
        assert {name for name in events if not re.search(rf"\b{name}\b", text)} == set(), generated
    (node_modules / "hey.ts").write_text(HEY_API)
    (node_modules / "typescript.ts").write_text(OPENAPI_TYPESCRIPT)
    options = ["--noEmit", "--strict", "--noImplicitReturns", "--target", "es2022", "--moduleResolution", "bundler"]
    run(node_modules, "tsc", *options, "--module", "es2022", "hey.ts", "typescript.ts")


def run(folder: Path, program: str, *arguments: str) -> None:
    """Run a program installed by npm. Raise AssertionError with its output if it fails."""
    command = [str(folder / "node_modules" / ".bin" / program), *arguments]
    result = subprocess.run(command, cwd=folder, env=clean_environment(), capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
