"""What the hooks share: the answers, git, uv, and the conflicts that an update leaves."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

CONFLICT_MARKER = "<<<<<<< before updating"


def read_answers(text: str) -> dict[str, Any]:
    """The recorded answers, with Copier's own `_src_path` and `_commit`."""
    import yaml  # noqa: PLC0415 (a third of what an update waits for its hooks, and few migrations need it)

    answers: dict[str, Any] = yaml.safe_load(text)
    return answers


def find_uv() -> str | None:
    """The uv executable: the one that started Copier, the one on PATH, or the package beside this Python."""
    found = os.environ.get("UV") or shutil.which("uv")
    if found:
        return found
    script = "import uv; print(uv.find_uv_bin())"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    return result.stdout.strip() or None


def git(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run git in `project` and capture what it says; a failure shows in the return code."""
    return subprocess.run(["git", *arguments], cwd=project, capture_output=True, encoding="utf-8", check=False)


def conflicts(project: Path) -> list[str]:
    """Files in which an update left something to decide: unmerged, with markers, or a `.rej` of what did not fit."""
    marker = f"^{CONFLICT_MARKER}"
    marked = git(project, "grep", "-z", "--untracked", "--name-only", "-I", "-e", marker)
    rejected = git(project, "ls-files", "-z", "--others", "--", "*.rej")
    return sorted({*unmerged(project), *_paths(marked.stdout), *_paths(rejected.stdout)})


def unmerged(project: Path) -> list[str]:
    """Files that git holds in several versions until somebody decides."""
    listed = git(project, "ls-files", "-z", "--unmerged").stdout
    return sorted({path.partition("\t")[2] for path in _paths(listed)})


def _paths(listed: str) -> list[str]:
    return [path for path in listed.split("\0") if path]
