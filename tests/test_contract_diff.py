"""`just contract-diff` tells the changes of a contract that break clients from those that do not."""

import copy
import importlib.util
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from servers import clean_environment
from support import git

pytestmark = pytest.mark.parametrize("generated", ["fastapi"], indirect=True, scope="session")

INVOICES = "/api/v1/invoices"
VOID = f"{INVOICES}/{{id}}/void"
WEBHOOKS = "/webhooks/payments"

Contract = dict[str, Any]
Diff = Callable[[Callable[[Contract], object]], list[tuple[bool, str]]]


@pytest.fixture(scope="session")
def diff(project: Path) -> Diff:
    """What the project's tool says of a change to its contract."""
    spec = importlib.util.spec_from_file_location("generated_openapi", project / "tools" / "openapi.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    old: Contract = json.loads((project / "docs" / "openapi.json").read_text(encoding="utf-8"))

    def findings(change: Callable[[Contract], object]) -> list[tuple[bool, str]]:
        new = copy.deepcopy(old)
        change(new)
        assert new != old
        found: list[tuple[bool, str]] = module.Comparison(old, new).findings()
        return found

    return findings


def operation(contract: Contract, method: str, path: str = INVOICES) -> Contract:
    found: Contract = contract["paths"][path][method]
    return found


def schema(contract: Contract, name: str) -> Contract:
    found: Contract = contract["components"]["schemas"][name]
    return found


def limit(contract: Contract) -> Contract:
    found: Contract = next(each for each in operation(contract, "get")["parameters"] if each["name"] == "limit")
    return found


def rename(contents: Contract, old: str, new: str) -> None:
    contents[new] = contents.pop(old)


def remove_property(contract: Contract, name: str, property_: str) -> None:
    del schema(contract, name)["properties"][property_]
    schema(contract, name)["required"].remove(property_)


def require_property(contract: Contract, name: str, property_: str) -> None:
    schema(contract, name)["properties"][property_] = {"type": "string"}
    schema(contract, name)["required"].append(property_)


def add_parameter(contract: Contract, *, required: bool) -> None:
    parameter = {"name": "tag", "in": "query", "required": required, "schema": {"type": "string"}}
    operation(contract, "get")["parameters"].append(parameter)


def webhook_schema(contract: Contract) -> Contract:
    found: Contract = operation(contract, "post", WEBHOOKS)["requestBody"]["content"]["application/json"]["schema"]
    return found


def rename_problem(contract: Contract, old: str, new: str) -> None:
    text = json.dumps(contract)
    contract.update(json.loads(text.replace(f"urn:problem:{old}", f"urn:problem:{new}")))


BREAKING: dict[str, Callable[[Contract], object]] = {
    "POST /api/v1/invoices: is gone": lambda new: new["paths"][INVOICES].pop("post"),
    "GET /api/v1/me: is gone": lambda new: new["paths"].pop("/api/v1/me"),
    "POST /api/v1/invoices: operationId was invoices_create, is invoices_add": lambda new: operation(
        new, "post"
    ).update(operationId="invoices_add"),
    "POST /api/v1/invoices: no longer answers with 201": lambda new: rename(
        operation(new, "post")["responses"], "201", "200"
    ),
    "POST /api/v1/invoices: 201 is no longer application/json": lambda new: rename(
        operation(new, "post")["responses"]["201"]["content"], "application/json", "application/xml"
    ),
    "POST /api/v1/invoices: 201 has no header Location any more": lambda new: operation(new, "post")["responses"][
        "201"
    ].pop("headers"),
    "GET /api/v1/invoices: 200 items[] number is gone": lambda new: remove_property(new, "InvoiceOut", "number"),
    "GET /api/v1/me: 200 organization name is gone": lambda new: remove_property(new, "OrganizationOut", "name"),
    "GET /api/v1/me: 200 email may be missing now": lambda new: schema(new, "MeOut")["required"].remove("email"),
    "GET /api/v1/me: 200 email may now be null": lambda new: schema(new, "MeOut")["properties"].update(
        email={"type": ["string", "null"]}
    ),
    "GET /api/v1/me: 200 id: format was uuid, is not set": lambda new: schema(new, "MeOut")["properties"]["id"].pop(
        "format"
    ),
    "POST /api/v1/invoices: request vat is new and required": lambda new: require_property(new, "InvoiceIn", "vat"),
    "POST /webhooks/payments: request data invoice_id is now required": lambda new: webhook_schema(new)["properties"][
        "data"
    ].update(required=["invoice_id"]),
    "POST /api/v1/invoices: request currency is no longer taken": lambda new: remove_property(
        new, "InvoiceIn", "currency"
    ),
    "POST /api/v1/invoices: request currency may no longer be EUR": lambda new: schema(new, "InvoiceIn")["properties"][
        "currency"
    ]["enum"].remove("EUR"),
    "POST /api/v1/invoices: request amount_cents may no longer be integer": lambda new: schema(new, "InvoiceIn")[
        "properties"
    ]["amount_cents"].update(type="string"),
    "POST /api/v1/invoices: request customer: maxLength was 200, is 10": lambda new: schema(new, "InvoiceIn")[
        "properties"
    ]["customer"].update(maxLength=10),
    "POST /api/v1/invoices: a request body of application/json is no longer taken": lambda new: rename(
        operation(new, "post")["requestBody"]["content"], "application/json", "application/xml"
    ),
    "GET /api/v1/invoices: query parameter limit: maximum was 100, is 50": lambda new: limit(new)["schema"].update(
        maximum=50
    ),
    "GET /api/v1/invoices: query parameter limit is now required": lambda new: limit(new).update(required=True),
    "GET /api/v1/invoices: query parameter tag is new and required": lambda new: add_parameter(new, required=True),
    "GET /health/live: asks for credentials": lambda new: operation(new, "get", "/health/live").update(
        security=[{"AccessToken": ["read"]}]
    ),
    "GET /api/v1/invoices: asks for other credentials or scopes": lambda new: operation(new, "get").update(
        security=[{"AccessToken": ["read", "write"]}]
    ),
    "GET /api/v1/invoices/{id}: 404 is no longer urn:problem:invoice-not-found": lambda new: rename_problem(
        new, "invoice-not-found", "no-such-invoice"
    ),
    "GET /api/v1/me: 401 is no longer urn:problem:invalid-token": lambda new: operation(new, "get", "/api/v1/me")[
        "responses"
    ]["401"]["content"]["application/problem+json"]["schema"]["anyOf"].pop(),
    "POST /api/v1/invoices/{id}/void: 409 is no longer urn:problem:invoice-not-open": lambda new: operation(
        new, "post", VOID
    )["responses"].pop("409"),
    "POST /api/v1/auth/token: asks for credentials": lambda new: new.update(security=[{"AccessToken": []}]),
}
HARMLESS: dict[str, Callable[[Contract], object]] = {
    "a new error": lambda new: operation(new, "get", "/health/live")["responses"].update(
        {"409": operation(new, "post", VOID)["responses"]["409"]}
    ),
    "a new parameter": lambda new: add_parameter(new, required=False),
    "a new optional property of a request": lambda new: schema(new, "InvoiceIn")["properties"].update(note={}),
    "a new property of an answer": lambda new: require_property(new, "InvoiceOut", "note"),
    "a wider bound of a request": lambda new: schema(new, "InvoiceIn")["properties"]["customer"].update(maxLength=300),
    "a number where an integer was taken": lambda new: schema(new, "InvoiceIn")["properties"]["amount_cents"].update(
        type="number"
    ),
    "null where it was not taken": lambda new: schema(new, "InvoiceIn")["properties"].update(
        customer={"anyOf": [schema(new, "InvoiceIn")["properties"]["customer"], {"type": "null"}]}
    ),
    "an answer that is never null": lambda new: schema(new, "InvoicePage")["properties"].update(
        next_cursor={"type": "string"}
    ),
    "a way in without credentials": lambda new: operation(new, "get")["security"].append({}),
    "a schema of another name": lambda new: new.update(
        json.loads(json.dumps(new).replace("InvoiceOut", "InvoiceRead"))
    ),
    "words": lambda new: operation(new, "post").update(description="Other words."),
}


@pytest.mark.parametrize("said", BREAKING)
def test_what_breaks_clients_is_named(diff: Diff, said: str) -> None:
    assert (True, said) in diff(BREAKING[said])


@pytest.mark.parametrize("change", HARMLESS)
def test_what_clients_do_not_notice_is_not(diff: Diff, change: str) -> None:
    assert diff(HARMLESS[change]) == []


WORTH_A_THOUGHT: dict[str, Callable[[Contract], object]] = {
    "POST /api/v1/invoices: 201 status may now be late": lambda new: schema(new, "InvoiceStatus")["enum"].append(
        "late"
    ),
    "GET /api/v1/invoices: query parameter limit: default was 50, is 20": lambda new: limit(new)["schema"].update(
        default=20
    ),
    "POST /api/v1/invoices: 422 is no longer documented": lambda new: operation(new, "post")["responses"].pop("422"),
    "GET /new: is new": lambda new: new["paths"].update({"/new": {"get": {"responses": {"200": {"description": ""}}}}}),
}


@pytest.mark.parametrize("said", WORTH_A_THOUGHT)
def test_what_may_matter_is_said(diff: Diff, said: str) -> None:
    found = diff(WORTH_A_THOUGHT[said])
    assert (False, said) in found
    assert not any(breaks for breaks, _ in found)


def test_a_schema_may_contain_itself(diff: Diff) -> None:
    def contain(new: Contract) -> None:
        node = {"type": "array", "items": {"$ref": "#/components/schemas/Node"}}
        new["components"]["schemas"]["Node"] = {"type": "object", "properties": {"nodes": node}}
        schema(new, "MeOut")["properties"]["email"] = {"$ref": "#/components/schemas/Node"}

    assert (True, "GET /api/v1/me: 200 email may now be object") in diff(contain)


@pytest.fixture
def clone(project: Path, tmp_path: Path) -> Path:
    """A repository whose first commit has no contract, and whose second one has the project's."""
    target = tmp_path / "shop"
    for name in ("justfile", "pyproject.toml", "uv.lock"):
        target.mkdir(exist_ok=True)
        shutil.copy2(project / name, target)
    shutil.copytree(project / "tools", target / "tools")
    git(target, "init", "--quiet")
    git(target, "add", "--all")
    git(target, "commit", "--quiet", "--message", "Without")
    git(target, "tag", "without")
    (target / "docs").mkdir()
    shutil.copy2(project / "docs" / "openapi.json", target / "docs")
    git(target, "add", "--all")
    git(target, "commit", "--quiet", "--message", "With")
    return target


def contract_diff(project: Path, folder: Path, ref: str) -> tuple[int, str, str]:
    """The exit code and the output of the recipe, run with the environment of `project`."""
    result = subprocess.run(
        ["uv", "run", "--no-sync", "just", "contract-diff", ref],
        cwd=folder,
        env=clean_environment(UV_PROJECT_ENVIRONMENT=str(project / ".venv"), UV_NO_SYNC="1"),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return result.returncode, result.stdout, result.stderr


def test_the_recipe_compares_with_a_commit(project: Path, clone: Path) -> None:
    assert contract_diff(project, clone, "HEAD") == (0, "breaking changes since HEAD: none\n", "")
    path = clone / "docs" / "openapi.json"
    contract = json.loads(path.read_text(encoding="utf-8"))
    del contract["paths"]["/api/v1/me"]
    path.write_text(json.dumps(contract), encoding="utf-8")
    said = "breaks  GET /api/v1/me: is gone\nbreaking changes since HEAD: 1\n"
    assert contract_diff(project, clone, "HEAD") == (1, said, "")


@pytest.mark.parametrize(
    ("ref", "said"),
    [
        ("nope", "git knows no commit, branch or tag 'nope' here"),
        ("--help", "git knows no commit, branch or tag '--help' here"),
        ("a b; c", "git knows no commit, branch or tag 'a b; c' here"),
        ("without", "there is no docs/openapi.json in without"),
    ],
)
def test_what_cannot_be_compared_is_said_in_a_sentence(project: Path, clone: Path, ref: str, said: str) -> None:
    assert contract_diff(project, clone, ref) == (2, "", f"{said}\n")


def test_a_contract_that_is_none_is_said_in_a_sentence(project: Path, clone: Path) -> None:
    path = clone / "docs" / "openapi.json"
    path.write_text("<<<<<<< ours", encoding="utf-8")
    code, _, said = contract_diff(project, clone, "HEAD")
    assert (code, said.splitlines()[0]) == (
        2,
        "docs/openapi.json is not JSON: Expecting value: line 1 column 1 (char 0)",
    )
    path.unlink()
    assert contract_diff(project, clone, "HEAD") == (2, "", "there is no docs/openapi.json; run `just openapi`\n")


def test_a_reference_that_leads_nowhere_is_said_in_a_sentence(project: Path, clone: Path) -> None:
    path = clone / "docs" / "openapi.json"
    contract = json.loads(path.read_text(encoding="utf-8"))
    del contract["components"]["schemas"]["InvoiceOut"]
    path.write_text(json.dumps(contract), encoding="utf-8")
    said = "a contract refers to #/components/schemas/InvoiceOut, which it does not have\n"
    assert contract_diff(project, clone, "HEAD") == (2, "", said)
