"""What the template gives later on: `add-module NAME` renders one more module, `update` a newer version."""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
ANSWERS = ".copier-answers.yml"
COPIER = "copier~=9.19"
CONFLICT = "<<<<<<< before updating"


class Refused(Exception):  # noqa: N818 (a request that cannot be carried out, not a fault)
    """Says in one sentence what is in the way and what would help."""


def git(*arguments: str) -> str:
    """What `git` prints, run in this project; nothing where it fails, as outside of a repository."""
    executable = shutil.which("git")
    if executable is None:
        raise Refused("git is not installed, and Copier needs it to compare versions")
    command = [executable, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False).stdout


def copier_command(*arguments: str) -> list[str]:
    """Copier through uv, which `uv run` names in the variable UV."""
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        raise Refused("uv is not installed; get it with `python3 -m pip install uv`")
    return [uv, "tool", "run", "--from", COPIER, "copier", *arguments]


def require_clean_repository() -> None:
    """Refuse where an update could not be told from the user's own unfinished work."""
    if not (ROOT / ANSWERS).exists():
        raise Refused(f"{ANSWERS} is missing, so nothing says which template this project comes from")
    if not git("rev-parse", "--verify", "--quiet", "HEAD"):
        start = 'run `git init`, `git add -A` and `git commit -m "Start"` first'
        raise Refused(f"this is not a git repository with a commit; {start}")
    if git("status", "--porcelain", "--", "."):
        raise Refused("there are uncommitted changes; commit or stash them first, to tell the new ones apart")


def current_modules() -> list[str]:
    """The names below `modules:` in the answers file, which Copier writes as a block or a flow list."""
    text = (ROOT / ANSWERS).read_text(encoding="utf-8")
    found = re.search(r"^modules:[ ]*(\[.*\]|(?:\n[ ]*- .+)*)", text, flags=re.MULTILINE)
    return re.findall(r"\w+", found[1]) if found else []


def conflicts() -> list[str]:
    """Where an update left something to decide: unmerged, with markers, or a `.rej` of what did not fit."""
    unmerged = [line.partition("\t")[2] for line in git("ls-files", "-z", "--unmerged").split("\0")]
    marked = git("grep", "-z", "--untracked", "--name-only", "-I", "-e", f"^{CONFLICT}").split("\0")
    rejected = git("ls-files", "-z", "--others", "--", "*.rej").split("\0")
    return sorted({*unmerged, *marked, *rejected} - {""})


def add_module(name: str) -> int:
    """Render module `name` and its wiring, at the template version that this project has."""
    require_clean_repository()
    modules = current_modules()
    if name in modules:
        raise Refused(f"module '{name}' is there already")
    wanted = f"modules={json.dumps([*modules, name])}"
    command = copier_command(
        "update", "--vcs-ref=:current:", "--trust", "--defaults", "--quiet", "-d", wanted
    )
    result = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    if result.returncode:
        last_line = (result.stderr.strip() or "Copier failed without a word").splitlines()[-1]
        raise Refused(re.sub(r"^ValueError: (Validation error for question '\w+': )?", "", last_line))
    sys.stderr.write(result.stderr)
    return report(f"module '{name}' is rendered and wired; nothing is committed yet")


def update() -> int:
    """Take over the newest version of the template, asking only what is new."""
    if conflicts():
        return report("")
    require_clean_repository()
    asked = [] if sys.stdin.isatty() else ["--defaults"]
    command = copier_command("update", "--trust", "--skip-answered", *asked)
    environment = {**os.environ, "UPDATE_NAMES_CONFLICTS": "1"}
    if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:
        raise Refused("Copier did not finish and says why above; `git status` shows what it changed")
    return report("no conflicts; read `git diff`, run `just setup` and `just check`, then commit")


def report(success: str) -> int:
    """Print the conflicts, or `success` where there are none; the exit code says which."""
    found = conflicts()
    if not found:
        print(success)
        return 0
    print(f"{len(found)} file(s) with conflicts between your changes and the template's:", file=sys.stderr)
    for path in found:
        print(f"  {path}", file=sys.stderr)
    print("Decide and `git add` each; then run `just setup` and `just check`, and commit.", file=sys.stderr)
    return 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="tools/template.py", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("add-module").add_argument("name")
    commands.add_parser("update")
    arguments = parser.parse_args()
    try:
        return add_module(arguments.name) if arguments.command == "add-module" else update()
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
