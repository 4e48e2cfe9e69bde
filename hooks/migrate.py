"""Migrations of the template: functions that run before or after the merge of an update.

Copier runs this script before and after each `copier update` with STAGE, VERSION_FROM, VERSION_PEP440_FROM and
VERSION_PEP440_TO set. An untagged template has a `.postN` version, so a migration can run twice: keep each idempotent.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from common import conflicts, find_uv, git, read_answers, unmerged
from packaging.version import Version


@dataclass(frozen=True)
class Update:
    """The project to update, and the release and answers it was generated from."""

    project: Path
    answers_file: str
    release: str

    @cached_property
    def answers(self) -> Mapping[str, Any]:
        """Return the answers of the last commit, before this update changed them."""
        return read_answers(git(self.project, "show", f"HEAD:./{self.answers_file}").stdout)


Migration = Callable[[Update], None]

REGISTRY: list[tuple[Version, str, Migration]] = []


def migration(version: str, stage: str) -> Callable[[Migration], Migration]:
    """Register a function for updates from a release before `version`. `stage` is `before` or `after` the merge."""
    if stage not in ("before", "after"):
        raise ValueError(f"stage must be 'before' or 'after', not {stage!r}")

    def register(function: Migration) -> Migration:
        REGISTRY.append((Version(version), stage, function))
        return function

    return register


def rename(version: str, old: str, new: str, *, framework: str = "") -> None:
    """Register that `version` renames the file or folder `old` to `new`, so that the user's edits follow.

    `{package}` in a path is the name of the package. `framework` limits the rename to projects of that framework.
    """

    @migration(version, "before")
    def move(update: Update) -> None:
        source, target = (path.format(**update.answers) for path in (old, new))
        concerned = not framework or framework == update.answers["framework"]
        if concerned and (update.project / source).exists() and not (update.project / target).exists():
            (update.project / target).parent.mkdir(parents=True, exist_ok=True)
            git(update.project, "mv", source, target)

    @migration(version, "after")
    def merge(update: Update) -> None:
        source, target = (path.format(**update.answers) for path in (old, new))
        found = [path for path in unmerged(update.project) if f"{path}/".startswith(f"{target}/")]
        if found:
            from moved import merge_again  # noqa: PLC0415 (imports Copier, which is slow)

            merge_again(update, {path: source + path.removeprefix(target) for path in found})


def due(stage: str, before: Version, after: Version) -> list[Migration]:
    """Return the migrations of `stage` for an update from `before` to `after`, oldest first."""
    found = [(version, function) for version, at, function in REGISTRY if at == stage and before < version <= after]
    return [function for _, function in sorted(found, key=lambda pair: pair[0])]


def relock(project: Path) -> str | None:
    """Update uv.lock if the merge changed pyproject.toml. Return what to do by hand if that fails."""
    unchanged = git(project, "diff", "--quiet", "HEAD", "--", "pyproject.toml").returncode == 0
    if unchanged or not (project / "uv.lock").exists() or "pyproject.toml" in conflicts(project):
        return None
    uv = find_uv()
    if uv is None:
        return "install uv and run `uv lock`: uv.lock is out of date"
    result = subprocess.run([uv, "lock", "--quiet"], cwd=project, capture_output=True, text=True, check=False)
    if result.returncode:
        reason = (result.stderr.strip() or "no reason given").splitlines()[-1].strip()
        return f"run `uv lock` again: it failed ({reason})"
    return None


def finish(project: Path) -> None:
    """Update the lock file and list the conflicts, after the merge."""
    complaint = relock(project)
    if complaint:
        print(complaint, file=sys.stderr)
    found = conflicts(project)
    if found and "UPDATE_NAMES_CONFLICTS" not in os.environ:
        print(f"Conflicts to resolve by hand in {len(found)} file(s):", file=sys.stderr)
        for path in found:
            print(f"  {path}", file=sys.stderr)


def main(answers_file: str) -> int:
    stage = os.environ["STAGE"]
    before, after = Version(os.environ["VERSION_PEP440_FROM"]), Version(os.environ["VERSION_PEP440_TO"])
    update = Update(Path.cwd(), answers_file, os.environ["VERSION_FROM"])
    for function in due(stage, before, after):
        function(update)
    if stage == "after":
        finish(update.project)
    return 0


# Renames, oldest first.
rename("0.2.0", "src/{package}/core/requests.py", "src/{package}/core/request_id.py")
rename("0.2.0", "src/{package}/core/boundary.py", "src/{package}/core/middleware.py", framework="flask")
rename("0.2.0", "tests/core/test_boundary.py", "tests/core/test_app.py", framework="flask")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
