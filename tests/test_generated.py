"""Generated projects pass their own gates on each database and Python, and their recipes work."""

import json
import re
import subprocess
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import httpx
import pytest
from servers import clean_environment, copy_project, has_accounts, just, postgresql_database, recipe_serving
from support import Render, answers_of, git, release, require


def interpreter(version: str) -> str:
    """Return the path of an installed Python. Does not download one."""
    command = ["uv", "python", "find", "--no-python-downloads", "--no-project", version]
    found = subprocess.run(command, capture_output=True, text=True, check=False, env=clean_environment())
    require(found.returncode == 0, f"Python {version} is not installed")
    return found.stdout.strip()


def checkout(project: Path, target: Path) -> Path:
    """Clone a generated project."""
    trust = f"template.trust={answers_of(project)['_src_path']}"
    git(project.parent, "clone", "--quiet", "--config", trust, str(project), str(target))
    return target


def remove_items(clone: Path, **variables: str) -> None:
    """Remove the module items, and its table where that takes a migration of its own."""
    said = just(clone, "remove-module", "items", **variables)
    if "make-migration" in said:
        just(clone, "make-migration", "remove items", **variables)
        versions = [path.read_text() for path in (clone / "migrations/versions").glob("*remove_items.py")]
        assert [text.count("drop_table(") for text in versions] == [1]
    just(clone, "openapi", CI="false", **variables)


def test_copy_gives_a_tested_and_committed_project(project: Path, copy_output: str) -> None:
    for step in ("dependencies", "settings", "database", "openapi", "smoke tests", "demo data", "first commit"):
        assert re.search(rf"^  ok +{step} +\d+\.\d s", copy_output, flags=re.MULTILINE), copy_output
    assert git(project, "status", "--porcelain") == ""
    (secret,) = re.findall(r"^SECRET_KEY=(.+)$", (project / ".env").read_text(), flags=re.MULTILINE)
    assert len(secret) >= 32
    assert ".env" not in git(project, "ls-files").split()


@pytest.mark.matrix
def test_every_gate_passes_in_a_fresh_clone_after_adding_and_removing_a_module(project: Path, tmp_path: Path) -> None:
    # The copy ran the smoke tests with Python 3.11 on SQLite.
    python = interpreter("3.13")
    clone = checkout(project, tmp_path / "shop")
    with postgresql_database("generated_check") as url:
        just(clone, "add-module", "invoices", UV_PYTHON=python, DATABASE_URL=url)
        assert git(clone, "diff", "--name-only", "--diff-filter=D") == ""
        git(clone, "add", "--all")
        added = git(clone, "diff", "--cached", "--name-only", "--diff-filter=A").split()
        assert [path for path in added if "migrations" in path and path.endswith(".py")]
        assert all("invoices" in path for path in added), added
        git(clone, "commit", "--quiet", "--message", "Add invoices")
        remove_items(clone, UV_PYTHON=python, DATABASE_URL=url)
        just(clone, "check", UV_PYTHON=python, DATABASE_URL=url)
    contract = json.loads((clone / "docs" / "openapi.json").read_text())
    # The example already has invoices.
    path = "/api/v1/invoices-items" if has_accounts(project) else "/api/v1/invoices"
    assert path in contract["paths"]
    just(clone, "docs", UV_PYTHON=python)
    assert (clone / "site" / "index.html").exists()


def test_latest_django_passes_every_gate(released_template: Path, tmp_path: Path) -> None:
    python = interpreter("3.13")
    answers = {"framework": "django", "python_version": "3.13", "django_version": "latest", "docs": "false"}
    copy_project(released_template, tmp_path / "shop", answers, UV_PYTHON=python)
    just(tmp_path / "shop", "check", UV_PYTHON=python)


# The complete presets cover PostgreSQL.
@pytest.mark.parametrize(
    "answers",
    [
        {"framework": "fastapi", "admin_ui": True},
        {"framework": "fastapi", "pages": True, "start": "empty", "modules": ["items"]},
        {"framework": "flask", "pages": True, "modules": ["accounts"]},
    ],
    ids=[
        "FastAPI, admin",
        "FastAPI, pages without users",
        "Flask, pages without invoices",
    ],
)
def test_project_with_pages_or_admin_passes_every_gate(answers: dict[str, Any], render: Render) -> None:
    project = render(**answers)
    release(project, "first")
    just(project, "setup")
    just(project, "check")


@pytest.mark.parametrize(
    ("purpose", "database", "admin_ui"), [("wrapper", "postgresql", True), ("tool", "sqlite", False)]
)
def test_flask_purposes_pass_every_gate(purpose: str, database: str, admin_ui: bool, render: Render) -> None:
    project = render(framework="flask", purpose=purpose, admin_ui=admin_ui)
    release(project, "first")
    with postgresql_database("generated_purpose") if database == "postgresql" else nullcontext() as url:
        variables = {"DATABASE_URL": url} if url else {}
        just(project, "setup", **variables)
        just(project, "check", **variables)


def test_setup_again_changes_nothing(project: Path) -> None:
    before = (project / ".env").read_text()
    just(project, "setup")
    assert (project / ".env").read_text() == before
    assert git(project, "status", "--porcelain") == ""


def test_module_is_added_to_a_project_with_pages(released_template: Path, tmp_path: Path) -> None:
    copy_project(released_template, tmp_path / "shop", {"framework": "flask", "pages": "true", "start": "empty"})
    just(tmp_path / "shop", "add-module", "orders")
    git(tmp_path / "shop", "add", "--all")
    just(tmp_path / "shop", "check")


@pytest.mark.parametrize("recipe", ["dev", "serve"])
def test_server_recipes_listen_on_the_configured_port(project: Path, recipe: str) -> None:
    with recipe_serving(project, recipe) as server:
        assert httpx.get(f"{server.url}/health/ready", timeout=10).status_code == 200
        assert httpx.get(f"{server.url}/docs", timeout=10, follow_redirects=True).status_code == 200


def test_boundaries_are_enforced(project: Path, tmp_path: Path) -> None:
    clone = checkout(project, tmp_path / "shop")
    just(clone, "setup")
    just(clone, "add-module", "orders")
    for place, import_ in (("orders/services.py", "items import models"), ("core/logs.py", "items import public")):
        path = clone / "src" / "shop" / place
        before = path.read_text()
        path.write_text(f"{before}\nfrom ..{import_} as _theirs\n")
        with pytest.raises(AssertionError, match="BROKEN"):
            just(clone, "_boundaries")
        path.write_text(before)
    just(clone, "_boundaries")


def test_missing_migration_fails_the_gate(project: Path, tmp_path: Path) -> None:
    clone = checkout(project, tmp_path / "shop")
    models = clone / "src" / "shop" / "items" / "models.py"
    models.write_text(models.read_text().replace("200", "199"))
    with pytest.raises(AssertionError, match="just"):  # noqa: PT012 (the framework decides which gate fails)
        just(clone, "_migrations")
        just(clone, "test", "tests/core", "-k", "migrations or models")


def test_outdated_contract_fails_the_gate(project: Path, tmp_path: Path) -> None:
    clone = checkout(project, tmp_path / "shop")
    contract = clone / "docs" / "openapi.json"
    contract.write_text(contract.read_text().replace("items", "things"))
    with pytest.raises(AssertionError, match="just openapi"):
        just(clone, "_contract")
    with pytest.raises(AssertionError, match="does not match the code"):
        just(clone, "openapi", CI="true")
    just(clone, "openapi", CI="false")
    just(clone, "_contract")
