"""Merge files that a release renamed. Copier merges these without a common ancestor."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import copier
from common import git

if TYPE_CHECKING:
    from migrate import Update

LABELS = ("before updating", "last update", "after updating")
MOST_CONFLICTS = 127  # `git merge-file` returns the number of conflicts, and more than this on an error


def merge_again(update: "Update", moved: Mapping[str, str]) -> None:
    """Merge the unmerged files `moved` again. It maps the new path to the path in the project's old release."""
    with TemporaryDirectory() as folder:
        ours, ancestor, theirs = (Path(folder, name) for name in ("ours", "ancestor", "theirs"))
        render(update, ancestor)
        for path, source in moved.items():
            ours.write_bytes(staged(update.project, 2, path))
            theirs.write_bytes(staged(update.project, 3, path))
            labels = [argument for label in LABELS for argument in ("-L", label)]
            command = ["git", "merge-file", "-p", *labels, str(ours), str(ancestor / source), str(theirs)]
            merged = subprocess.run(command, cwd=update.project, capture_output=True, check=False)
            if merged.returncode > MOST_CONFLICTS:
                continue  # no ancestor: keep the conflict that Copier left
            (update.project / path).write_bytes(merged.stdout)
            if merged.returncode == 0:
                git(update.project, "add", "--", path)


def render(update: "Update", target: Path) -> None:
    """Render the project's old release with its old answers into `target`."""
    copier.run_copy(
        update.answers["_src_path"],
        target,
        data={key: value for key, value in update.answers.items() if not key.startswith("_")},
        vcs_ref=update.release,
        defaults=True,
        quiet=True,
        unsafe=True,
        skip_tasks=True,
    )


def staged(project: Path, stage: int, path: str) -> bytes:
    """Return a version of an unmerged file: stage 2 is the project's, stage 3 the template's."""
    command = ["git", "show", f":{stage}:./{path}"]
    return subprocess.run(command, cwd=project, capture_output=True, check=True).stdout
