"""Undo an update: put files and index back as they were before it.

The engine copies this script beside the journal in `.git/template-update/`, so that it works offline, after a crash and
whatever release the project is on. It needs only the standard library and git.
"""

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

FOLDER = "template-update"
APPLYING, APPLIED = "applying", "applied"


def git(project: Path, *arguments: str, data: bytes = b"", index: Path | None = None) -> bytes:
    """Return the output of git in `project`. Raise CalledProcessError if it fails."""
    environment = {**os.environ, **({"GIT_INDEX_FILE": str(index)} if index else {})}
    command = ["git", *arguments]
    return subprocess.run(command, cwd=project, input=data, env=environment, capture_output=True, check=True).stdout


def text(output: bytes) -> str:
    return output.decode("utf-8", "surrogateescape").rstrip("\r\n")


def git_path(project: Path, name: str) -> Path:
    """Return the path of `name` in the git directory of this work tree."""
    return project / text(git(project, "rev-parse", "--git-path", name))


def folder(project: Path) -> Path:
    """Return the folder of the journal. Projects of one repository have one each."""
    return git_path(project, FOLDER) / (text(git(project, "rev-parse", "--show-prefix")) or ".")


def read_journal(project: Path) -> dict[str, Any] | None:
    """Return what the last update has recorded: the commit it started from, its state, and the paths it changes."""
    journal = folder(project) / "journal.json"
    found: dict[str, Any] | None = json.loads(journal.read_text(encoding="utf-8")) if journal.exists() else None
    return found


def forget(project: Path) -> None:
    """Remove the journal, itself first: without it, the rest means nothing."""
    (folder(project) / "journal.json").unlink(missing_ok=True)
    for name in ("before", "undo.py", "index"):
        path = folder(project) / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def set_index(project: Path, entries: list[str], touched: list[str]) -> None:
    """Replace the entries of the paths `touched` in the index with `entries`, at once."""
    index, prepared = git_path(project, "index"), folder(project) / "index"
    shutil.copyfile(index, prepared)
    zeros = "0" * len(text(git(project, "rev-parse", "HEAD")))
    lines = [*(f"0 {zeros}\t{path}" for path in touched), *entries]
    data = "".join(f"{line}\0" for line in lines).encode("utf-8", "surrogateescape")
    git(project, "update-index", "-z", "--index-info", data=data, index=prepared)
    # Exits with 1 if files differ from the index, which they may.
    command, environment = ["git", "update-index", "-q", "--refresh"], {**os.environ, "GIT_INDEX_FILE": str(prepared)}
    subprocess.run(command, cwd=project, env=environment, capture_output=True, check=False)
    prepared.replace(index)


def remove(project: Path, path: str) -> None:
    """Remove a file, and the folders that are empty then."""
    (project / path).unlink(missing_ok=True)
    for parent in (project / path).parents:
        if parent == project or not parent.is_dir() or any(parent.iterdir()):
            break
        parent.rmdir()


def restore(project: Path, path: str) -> None:
    """Put back the copy of a file that the journal holds, with its mode; without a copy, there was no file."""
    copy, target = folder(project) / "before" / path, project / path
    if not copy.exists():
        remove(project, path)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f"{target.name}.undo")
    shutil.copyfile(copy, temporary)
    temporary.chmod(stat.S_IMODE(copy.stat().st_mode))
    temporary.replace(target)


def undo(project: Path) -> str:
    """Undo the recorded update and return a sentence."""
    journal = read_journal(project)
    if journal is None:
        raise SystemExit("nothing to undo: no update is recorded here")
    head = journal["head"]
    if text(git(project, "rev-parse", "HEAD")) != head:
        reason = f"there are commits since the update of {head[:10]}"
        raise SystemExit(f"use `git revert` or `git reset` instead: {reason}")
    prefix = text(git(project, "rev-parse", "--show-prefix"))
    touched = [f"{prefix}{path}" for path in journal["files"]]
    for path in journal["files"]:
        restore(project, path)
    listed = text(git(project, "ls-tree", "-r", "-z", "--full-tree", "HEAD")).split("\0")
    entries = [line for line in listed if line.partition("\t")[2] in {*touched}]
    set_index(project, [line.replace(" blob ", " ") for line in entries], touched)
    forget(project)
    left = [line[3:] for line in text(git(project, "status", "--porcelain", "-z", "--", ".")).split("\0") if line]
    also = f"; left, since they are newer: {', '.join(left)}" if left else ""
    return f"the update is undone: {len(touched)} files are as they were{also}"


if __name__ == "__main__":
    print(undo(Path(sys.argv[1]).resolve()))
