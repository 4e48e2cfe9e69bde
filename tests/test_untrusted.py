"""Copies without trust: no hook runs, every file is rendered, and `just setup` does the rest."""

import os
import re
import subprocess
import sys
from pathlib import Path

import copier
import plumbum
import pytest
from copier.errors import UnsafeTemplateError
from servers import just
from support import FRAMEWORKS, answers_of, git, release, render_into, rendered_files


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_copy_without_tasks_renders_every_file(framework: str, template: Path, tmp_path: Path) -> None:
    if os.name != "posix":
        pytest.skip("the stub of uv is a shell script")
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\n")
    uv.chmod(0o755)
    answers = {"project_name": "Shop", "framework": framework}
    with plumbum.local.env(UV=str(uv)):
        copier.run_copy(str(template), tmp_path / "trusted", data=answers, defaults=True, unsafe=True, quiet=True)
    render_into(tmp_path / "untrusted", template, framework=framework)
    assert rendered_files(tmp_path / "untrusted") == rendered_files(tmp_path / "trusted")
    assert answers_of(tmp_path / "untrusted") == answers_of(tmp_path / "trusted")


def tracked(project: Path) -> dict[str, str]:
    """Return the text of each tracked file. Upload times are removed, because not every registry has them."""
    texts = {path: (project / path).read_text(encoding="utf-8") for path in git(project, "ls-files").splitlines()}
    return texts | {"uv.lock": re.sub(r', upload-time = "[^"]+"', "", texts["uv.lock"])}


@pytest.mark.parametrize("generated", ["flask"], indirect=True)
def test_just_setup_replaces_the_tasks(project: Path, released_template: Path, tmp_path: Path) -> None:
    modules = answers_of(project)["modules"]
    untrusted = render_into(tmp_path / "shop", released_template, framework="flask", modules=modules)
    git(untrusted, "init", "--quiet")
    just(untrusted, "setup")
    git(untrusted, "add", "--all")
    assert tracked(untrusted) == tracked(project)
    assert (untrusted / "db.sqlite3").exists()
    assert (untrusted / ".env").read_text().count("\n") == (project / ".env").read_text().count("\n")
    assert (untrusted / ".env").read_text() != (project / ".env").read_text()


def test_hooks_without_trust_are_rejected_before_writing(template: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "copier", "copy", "--defaults", "-d", "project_name=Shop", str(template), "shop"]
    result = subprocess.run(
        command, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert result.returncode == 4
    assert "--trust" in result.stderr
    assert not (tmp_path / "shop").exists()


def test_update_without_trust_changes_nothing(released_template: Path, tmp_path: Path) -> None:
    project = render_into(tmp_path / "shop", released_template, framework="flask")
    release(project, "1")
    with pytest.raises(UnsafeTemplateError):
        copier.run_update(project, data={"modules": ["orders"]}, defaults=True, overwrite=True, quiet=True)
    assert git(project, "status", "--porcelain") == ""
