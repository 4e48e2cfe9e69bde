"""The repository's own practice: pipelines, forms, hooks, and which tests a change runs."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import TIERS
from support import ROOT, git

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
YAML = [
    *WORKFLOWS,
    *sorted((ROOT / ".github").glob("*.yml")),
    *sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")),
    ROOT / ".gitlab-ci.yml",
    ROOT / ".pre-commit-config.yaml",
]
# `.ci/run` is the gate of Linux; Windows runs `pytest -m fast` itself and has no bash to count on.
posix = pytest.mark.skipif(os.name != "posix", reason="a shell script, and this system has no POSIX shell")


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def strings(value: object) -> Iterator[str]:
    """Yield the strings in parsed YAML, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from strings(each)


@pytest.mark.parametrize("path", YAML, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_yaml_is_valid(path: Path) -> None:
    assert isinstance(load(path), dict)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_to_a_major_version(path: Path) -> None:
    jobs = load(path)["jobs"].values()
    used = [step["uses"] for job in jobs for step in job.get("steps", []) if "uses" in step]
    assert [action for action in used if not re.fullmatch(r"[\w-]+/[\w-]+@v\d+", action)] == []
    for job in jobs:
        assert "timeout-minutes" in job or "uses" in job


@pytest.mark.parametrize("path", [ROOT / ".github" / "workflows" / "ci.yml", ROOT / ".gitlab-ci.yml"], ids=str)
def test_pipeline_runs_every_tier(path: Path) -> None:
    values = list(strings(load(path)))
    assert "uv run pytest -m fast" in values
    assert set(values) >= TIERS.keys() - {"fast"}


def test_contributing_has_a_command_for_every_tier() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert re.findall(r"uv run pytest -m (\w+)`", text) == list(TIERS)


def test_issue_forms_ask_for_the_answers_and_the_version() -> None:
    fields = {field["id"] for field in load(ROOT / ".github" / "ISSUE_TEMPLATE" / "bug.yml")["body"]}
    assert fields >= {"answers", "version"}


def test_links_of_the_documentation_exist() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / ".github").glob("*.md")]
    links = [
        (page, link)
        for page in pages
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
    ]
    missing = [f"{page.name}: {link}" for page, link in links if not (page.parent / link).exists()]
    assert missing == []


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with this one's .ci, a template and documentation."""
    repository = tmp_path / "clone"
    shutil.copytree(ROOT / ".ci", repository / ".ci")
    git(repository, "init", "--quiet")
    change(repository, "README.md", "docs/updating.md", "templates/README.md.jinja", "templates/docs/index.md")
    git(repository, "tag", "base")
    return repository


def change(repository: Path, *paths: str) -> None:
    for path in paths:
        (repository / path).parent.mkdir(parents=True, exist_ok=True)
        with (repository / path).open("a") as file:
            file.write("more\n")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "Change")


def docs_only(repository: Path, base: str) -> bool:
    command = [str(repository / ".ci" / "docs-only"), base]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@posix
@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["README.md", "docs/deciding.md", "LICENSE", "benchmarks/README.md", ".github/ISSUE_TEMPLATE/bug.yml"], True),
        (["docs/updating.md", "hooks/update.py"], False),
        (["templates/docs/index.md"], False),
        (["templates/LICENSE.md"], False),
        (["parts/django/readme.md"], False),
        ([".github/workflows/ci.yml"], False),
        (["docs/ümlaut.md"], False),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_documentation_alone_needs_only_the_fast_tier(paths: list[str], expected: bool, clone: Path) -> None:
    change(clone, *paths)
    assert docs_only(clone, "base") is expected


@posix
def test_change_is_compared_with_where_it_branched_off(clone: Path) -> None:
    git(clone, "switch", "--quiet", "--create", "pages")
    change(clone, "docs/updating.md")
    git(clone, "switch", "--quiet", "--create", "later", "base")
    change(clone, "hooks/update.py")
    git(clone, "switch", "--quiet", "pages")
    assert docs_only(clone, "later")
    git(clone, "mv", "templates/docs/index.md", "docs/index.md")
    git(clone, "commit", "--quiet", "--message", "Move")
    assert not docs_only(clone, "later")


@posix
@pytest.mark.parametrize("base", ["", "HEAD", "nowhere", "0" * 40])
def test_unknown_base_needs_every_tier(base: str, clone: Path) -> None:
    change(clone, "docs/updating.md")
    assert not docs_only(clone, base)


@posix
def test_shallow_clone_needs_every_tier(clone: Path, tmp_path: Path) -> None:
    change(clone, "docs/updating.md")
    git(tmp_path, "clone", "--quiet", "--depth=1", clone.as_uri(), "shallow")
    assert not docs_only(tmp_path / "shallow", git(clone, "rev-parse", "base").strip())


@posix
@pytest.mark.parametrize(
    ("variables", "tests"),
    [
        ({}, "uv run pytest"),
        ({"CI_BASE": "base"}, "uv run pytest -m fast"),
        ({"CI_MERGE_REQUEST_DIFF_BASE_SHA": "base"}, "uv run pytest -m fast"),
        ({"CI_BASE": "base~5"}, "uv run pytest"),
    ],
)
def test_ci_run_selects_the_tiers(variables: dict[str, str], tests: str, clone: Path, tmp_path: Path) -> None:
    change(clone, "docs/updating.md")
    calls = tmp_path / "calls"
    for program in ("uv", "python3", "pgbouncer"):
        stub = tmp_path / "bin" / program
        stub.parent.mkdir(exist_ok=True)
        stub.write_text(f'#!/bin/sh\necho "$CI {program} $*" >> "{calls}"\n')
        stub.chmod(0o755)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CI")}
    path = f"{tmp_path / 'bin'}{os.pathsep}{environment['PATH']}"
    subprocess.run(
        [str(clone / ".ci" / "run")],
        env={**environment, "PATH": path, **variables},
        capture_output=True,
        check=True,
    )
    ran = calls.read_text().splitlines()
    assert ran[-1] == f"true {tests}"
    gates = ("sync --locked", "run ruff check", "run ruff format --check", "run mypy")
    assert [line for line in ran if line.startswith("true uv ")][:-1] == [f"true uv {gate}" for gate in gates]
