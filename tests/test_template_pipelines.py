"""The scheduled pipelines of a project open an update of the template as a pull or merge request."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import Render, git

# The scripts run on Linux runners of the hosts; the fast tier runs on Windows too.
pytestmark = pytest.mark.skipif(os.name != "posix", reason="the scripts need a POSIX shell")

REPORT = "1.0.0 -> 2.0.0\n\nUpdated (1):\n  guide.md\n"
CONFLICTS = "1.0.0 -> 2.0.0\n\nConflicts to resolve (1):\n  guide.md\n"
# `report`, `exit` and `changed` say what the update does; the others note what they were called with.
STUBS = {
    "uv": 'for last; do :; done; [ -z "$REPORT" ] || printf "%s" "$REPORT" > "$last"\n'
    '[ "$REPORT" = "" ] || echo changed >> guide.md; exit "$CODE"\n',
    "gh": 'printf "%s\\n" "$@" >> "$CALLS"; for last; do :; done; cat "$last" >> "$CALLS"\n',
    "curl": 'printf "%s\\n" "$@" >> "$CALLS"\n',
    "python": "exit 0\n",
}


def github(project: Path) -> str:
    job = yaml.safe_load((project / ".github/workflows/template.yml").read_text())["jobs"]["update"]
    assert job["if"] == "vars.UPDATE_TEMPLATE == 'true'"
    script: str = job["steps"][-1]["run"]
    return script


def gitlab(project: Path) -> str:
    job = yaml.safe_load((project / ".gitlab-ci.yml").read_text())["template"]
    assert [rule["if"] for rule in job["rules"]] == ['$CI_PIPELINE_SOURCE == "schedule" && $UPDATE_TEMPLATE == "true"']
    script = "\n".join(job["script"])
    # The stub is no server.
    return script.replace("https://template:$TEMPLATE_TOKEN@${CI_SERVER_URL#https://}/$CI_PROJECT_PATH.git", "origin")


Pipeline = Callable[..., tuple[int, str]]


@pytest.fixture(params=[github, gitlab], ids=lambda script: script.__name__)
def pipeline(request: pytest.FixtureRequest, render: Render, tmp_path: Path) -> Pipeline:
    """Run the script in a fresh clone and return its exit code, and what it called the host with."""
    script = request.param(render(ci=request.param.__name__))
    for name, text in STUBS.items():
        stub = tmp_path / "bin" / name
        stub.parent.mkdir(exist_ok=True)
        stub.write_text(f"#!/bin/sh\n{text}")
        stub.chmod(0o755)
    origin = tmp_path / "origin"
    origin.mkdir()
    git(origin, "init", "--quiet")
    (origin / "guide.md").write_text("Guide.\n")
    git(origin, "add", "--all")
    git(origin, "commit", "--quiet", "--message", "Start")

    def run(number: int, report: str, code: int = 0) -> tuple[int, str]:
        clone, calls = tmp_path / f"clone{number}", tmp_path / f"calls{number}"
        git(tmp_path, "clone", "--quiet", str(origin), str(clone))
        variables = {"REPORT": report, "CODE": str(code), "CALLS": str(calls), "RUNNER_TEMP": str(tmp_path)}
        environment: dict[str, Any] = {**os.environ, **variables, "CI_DEFAULT_BRANCH": "main"}
        environment["PATH"] = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
        (tmp_path / "report.txt").unlink(missing_ok=True)
        done = subprocess.run(
            ["bash", "-e", "-c", script], cwd=clone, env=environment, capture_output=True, check=False
        )
        return done.returncode, calls.read_text() if calls.exists() else ""

    return run


def test_update_is_opened_once(pipeline: Pipeline, tmp_path: Path) -> None:
    code, called = pipeline(1, REPORT)
    assert code == 0
    assert "Update from the template: 1.0.0 -> 2.0.0\n" in called
    assert "template-2.0.0" in called
    assert git(tmp_path / "origin", "show", "template-2.0.0:guide.md") == "Guide.\nchanged\n"
    assert pipeline(2, REPORT) == (0, "")


def test_conflicts_and_failed_checks_are_opened_too(pipeline: Pipeline) -> None:
    code, called = pipeline(1, CONFLICTS, 1)
    assert code == 0
    assert "Update from the template: 1.0.0 -> 2.0.0, with conflicts\n" in called


def test_nothing_is_opened_without_an_update(pipeline: Pipeline) -> None:
    assert pipeline(1, "") == (0, "")


def test_update_that_stops_fails_the_pipeline(pipeline: Pipeline) -> None:
    assert pipeline(1, "", 1) == (1, "")
