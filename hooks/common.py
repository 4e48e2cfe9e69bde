"""Shared by the hooks: the answers file, git and uv."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any


def read_answers(text: str) -> dict[str, Any]:
    """Parse an answers file, including Copier's own `_src_path` and `_commit`."""
    import yaml  # noqa: PLC0415 (slow to import, and most updates do not need it)

    answers: dict[str, Any] = yaml.safe_load(text)
    return answers


def record_source(answers_file: Path, source: str) -> None:
    """Replace `_src_path` in the answers file, also in its comment. YAML may have folded it over several lines."""
    import yaml  # noqa: PLC0415

    text = answers_file.read_text(encoding="utf-8")
    before = read_answers(text)["_src_path"]
    text = text.replace(f" {shlex.quote(before)} ../again\n", f" {shlex.quote(source)} ../again\n")
    entry = yaml.safe_dump({"_src_path": source}, allow_unicode=True, width=sys.maxsize)
    text = re.sub(r"^_src_path:.*\n(?:[ ].*\n)*", lambda _: entry, text, flags=re.MULTILINE)
    answers_file.write_text(text, encoding="utf-8")


def find_uv() -> str | None:
    """Return the path of uv: from the variable UV, from PATH, or from the package of this Python."""
    found = os.environ.get("UV") or shutil.which("uv")
    if found:
        return found
    script = "import uv; print(uv.find_uv_bin())"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    return result.stdout.strip() or None


def git(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run git in `project` and capture its output. A failure does not raise; check the return code."""
    return subprocess.run(["git", *arguments], cwd=project, capture_output=True, encoding="utf-8", check=False)


def unmerged(project: Path) -> list[str]:
    """Return the files with open conflicts, as git lists them."""
    listed = git(project, "ls-files", "-z", "--unmerged").stdout
    return sorted({line.partition("\t")[2] for line in listed.split("\0") if line})
