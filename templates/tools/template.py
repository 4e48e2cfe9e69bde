"""Use the template again: `add-module NAME` adds a module, `update` updates to the newest release."""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
ANSWERS = ROOT / ".copier-answers.yml"
COPIER = "copier~=9.19"
CONFLICT = "<<<<<<< before updating"


def git(*arguments: str) -> str:
    """Return the output of git in this project, or nothing if it fails."""
    executable = shutil.which("git")
    if executable is None:
        raise SystemExit("install git: Copier compares versions with it")
    command = [executable, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False).stdout


def copier_update(*arguments: str) -> list[str]:
    """Return the command that runs `copier update` through uv; `uv run` sets the variable UV."""
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        raise SystemExit("install uv: `python3 -m pip install uv`")
    return [uv, "tool", "run", "--from", COPIER, "copier", "update", "--trust", *arguments]


def require_clean_repository() -> None:
    """Require a git repository without uncommitted changes, so that the changes of an update stand alone."""
    if not ANSWERS.exists():
        raise SystemExit(f"restore {ANSWERS.name} first: it records the template of this project")
    if not git("rev-parse", "--verify", "--quiet", "HEAD"):
        start = 'run `git init`, `git add -A` and `git commit -m "Start"` first'
        raise SystemExit(f"{start}: this is not a git repository with a commit")
    if git("status", "--porcelain", "--", "."):
        raise SystemExit("commit or stash your changes first, so that the new ones stand alone")


def conflicts() -> list[str]:
    """Return the files to resolve after an update: unmerged, with conflict markers, or `.rej` files."""
    unmerged = [line.partition("\t")[2] for line in git("ls-files", "-z", "--unmerged").split("\0")]
    marked = git("grep", "-z", "--untracked", "--name-only", "-I", "-e", f"^{CONFLICT}").split("\0")
    rejected = git("ls-files", "-z", "--others", "--", "*.rej").split("\0")
    return sorted({*unmerged, *marked, *rejected} - {""})


def add_module(name: str) -> str:
    """Add module `name` and its wiring, from the template version of this project."""
    require_clean_repository()
    # Copier writes a block or a flow list.
    answers = ANSWERS.read_text(encoding="utf-8")
    found = re.search(r"^modules:[ ]*(\[.*\]|(?:\n[ ]*- .+)*)", answers, flags=re.MULTILINE)
    modules = re.findall(r"\w+", found[1]) if found else []
    if name in modules:
        raise SystemExit(f"choose another name: module '{name}' already exists")
    wanted = f"modules={json.dumps([*modules, name])}"
    command = copier_update("--vcs-ref=:current:", "--defaults", "--quiet", "-d", wanted)
    result = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    if result.returncode:
        last_line = (result.stderr.strip() or "Copier failed without a message").splitlines()[-1]
        raise SystemExit(re.sub(r"^ValueError: (Validation error for question '\w+': )?", "", last_line))
    sys.stderr.write(result.stderr)
    return f"module '{name}' added, not committed"


def update() -> str:
    """Update to the newest release of the template; ask only new questions."""
    if not conflicts():
        require_clean_repository()
        command = copier_update("--skip-answered", *([] if sys.stdin.isatty() else ["--defaults"]))
        environment = {**os.environ, "UPDATE_NAMES_CONFLICTS": "1"}
        if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:
            raise SystemExit("read the messages of Copier above, it failed; `git status` shows what changed")
    return "no conflicts; read `git diff`, run `just setup` and `just check`, then commit"


def main() -> None:
    parser = argparse.ArgumentParser(prog="tools/template.py", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("add-module").add_argument("name")
    commands.add_parser("update")
    arguments = parser.parse_args()
    success = add_module(arguments.name) if arguments.command == "add-module" else update()
    if found := conflicts():
        lines = [f"{len(found)} file(s) with conflicts between your changes and the template's:"]
        advice = "Resolve and `git add` each; then run `just setup` and `just check`, and commit."
        raise SystemExit("\n".join([*lines, *(f"  {path}" for path in found), advice]))
    print(success)


if __name__ == "__main__":
    main()
