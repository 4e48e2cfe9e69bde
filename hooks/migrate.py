"""What an update must do besides merging: the registry of migrations, one function per version and stage.

Copier runs this before and after every `copier update`, with STAGE, VERSION_FROM and VERSION_PEP440_FROM and _TO in the
environment. An untagged template is a `.postN` version, so a migration may run twice: each must be idempotent.
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
    """The project that is updated, and the release and the answers that it was made from."""

    project: Path
    answers_file: str
    release: str

    @cached_property
    def answers(self) -> Mapping[str, Any]:
        """The answers as they were committed, whichever stage asks."""
        return read_answers(git(self.project, "show", f"HEAD:./{self.answers_file}").stdout)


Migration = Callable[[Update], None]

REGISTRY: list[tuple[Version, str, Migration]] = []


def migration(version: str, stage: str) -> Callable[[Migration], Migration]:
    """Register a function for projects that come from before `version`; `stage` is `before` or `after` the merge."""
    if stage not in ("before", "after"):
        raise ValueError(f"stage must be 'before' or 'after', not {stage!r}")

    def register(function: Migration) -> Migration:
        REGISTRY.append((Version(version), stage, function))
        return function

    return register


def rename(version: str, old: str, new: str, *, framework: str = "") -> None:
    """Register that `version` of the template has a file or folder `old` under the name `new`.

    The project's edits follow: `git mv` puts them where Copier merges. `{package}` in a path is the package's name.
    With `framework`, only its projects have it.
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
            from moved import merge_again  # noqa: PLC0415 (it imports Copier, which takes longer than all the rest)

            merge_again(update, {path: source + path.removeprefix(target) for path in found})


def due(stage: str, before: Version, after: Version) -> list[Migration]:
    """The migrations of `stage` for an update from `before` to `after`, oldest first."""
    found = [(version, function) for version, at, function in REGISTRY if at == stage and before < version <= after]
    return [function for _, function in sorted(found, key=lambda pair: pair[0])]


def relock(project: Path) -> str | None:
    """Bring uv.lock in step with a pyproject.toml that the merge changed; says what is left to do where it cannot."""
    unchanged = git(project, "diff", "--quiet", "HEAD", "--", "pyproject.toml").returncode == 0
    if unchanged or not (project / "uv.lock").exists() or "pyproject.toml" in conflicts(project):
        return None
    uv = find_uv()
    if uv is None:
        return "uv is not installed, so uv.lock is not renewed; run `uv lock` when it is"
    result = subprocess.run([uv, "lock", "--quiet"], cwd=project, capture_output=True, text=True, check=False)
    if result.returncode:
        reason = (result.stderr.strip() or "no reason given").splitlines()[-1].strip()
        return f"uv.lock is not renewed ({reason}); run `uv lock` later"
    return None


def finish(project: Path) -> None:
    """After the merge: renew the lock file, then name every conflict."""
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


# What moved, oldest first: rename("0.2.0", "old/name", "new/name").
rename("0.2.0", "src/{package}/core/openapi.py", "src/{package}/core/endpoints.py", framework="flask")
rename("0.2.0", "tests/core/test_boundary.py", "tests/core/test_app.py", framework="flask")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
