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
ANSWERS = ".copier-answers.yml"
COPIER = "copier~=9.19"
CONFLICT = "<<<<<<< before updating"


class TemplateError(Exception):
    """The command cannot run. The message says what to do, in one sentence."""


def git(*arguments: str) -> str:
    """Return the output of git in this project, or nothing if it fails."""
    executable = shutil.which("git")
    if executable is None:
        raise TemplateError("install git: Copier compares versions with it")
    command = [executable, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False).stdout


def copier_command(*arguments: str) -> list[str]:
    """Return the command that runs Copier through uv. `uv run` sets the variable UV."""
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        raise TemplateError("install uv: `python3 -m pip install uv`")
    return [uv, "tool", "run", "--from", COPIER, "copier", *arguments]


def require_clean_repository() -> None:
    """Require a git repository without uncommitted changes, so that the changes of an update stand alone."""
    if not (ROOT / ANSWERS).exists():
        raise TemplateError(f"restore {ANSWERS} first: it records the template of this project")
    if not git("rev-parse", "--verify", "--quiet", "HEAD"):
        start = 'run `git init`, `git add -A` and `git commit -m "Start"` first'
        raise TemplateError(f"{start}: this is not a git repository with a commit")
    if git("status", "--porcelain", "--", "."):
        raise TemplateError("commit or stash your changes first, so that the new ones stand alone")


def current_modules() -> list[str]:
    """Return the modules in the answers file. Copier writes a block or a flow list."""
    text = (ROOT / ANSWERS).read_text(encoding="utf-8")
    found = re.search(r"^modules:[ ]*(\[.*\]|(?:\n[ ]*- .+)*)", text, flags=re.MULTILINE)
    return re.findall(r"\w+", found[1]) if found else []


def conflicts() -> list[str]:
    """Return the files to resolve after an update: unmerged, with conflict markers, or `.rej` files."""
    unmerged = [line.partition("\t")[2] for line in git("ls-files", "-z", "--unmerged").split("\0")]
    marked = git("grep", "-z", "--untracked", "--name-only", "-I", "-e", f"^{CONFLICT}").split("\0")
    rejected = git("ls-files", "-z", "--others", "--", "*.rej").split("\0")
    return sorted({*unmerged, *marked, *rejected} - {""})


def add_module(name: str) -> int:
    """Add module `name` and its wiring, from the template version of this project."""
    require_clean_repository()
    modules = current_modules()
    if name in modules:
        raise TemplateError(f"choose another name: module '{name}' already exists")
    wanted = f"modules={json.dumps([*modules, name])}"
    command = copier_command(
        "update", "--vcs-ref=:current:", "--trust", "--defaults", "--quiet", "-d", wanted
    )
    result = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    if result.returncode:
        last_line = (result.stderr.strip() or "Copier failed without a message").splitlines()[-1]
        raise TemplateError(re.sub(r"^ValueError: (Validation error for question '\w+': )?", "", last_line))
    sys.stderr.write(result.stderr)
    return report(f"module '{name}' added, not committed")


def update() -> int:
    """Update to the newest release of the template. Ask only new questions."""
    if conflicts():
        return report("")
    require_clean_repository()
    asked = [] if sys.stdin.isatty() else ["--defaults"]
    command = copier_command("update", "--trust", "--skip-answered", *asked)
    environment = {**os.environ, "UPDATE_NAMES_CONFLICTS": "1"}
    if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:
        raise TemplateError("read the messages of Copier above, it failed; `git status` shows what changed")
    return report("no conflicts; read `git diff`, run `just setup` and `just check`, then commit")


def report(success: str) -> int:
    """Print `success` and return 0, or print the conflicts and return 1."""
    found = conflicts()
    if not found:
        print(success)
        return 0
    print(f"{len(found)} file(s) with conflicts between your changes and the template's:", file=sys.stderr)
    for path in found:
        print(f"  {path}", file=sys.stderr)
    print("Resolve and `git add` each; then run `just setup` and `just check`, and commit.", file=sys.stderr)
    return 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="tools/template.py", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("add-module").add_argument("name")
    commands.add_parser("update")
    arguments = parser.parse_args()
    try:
        return add_module(arguments.name) if arguments.command == "add-module" else update()
    except TemplateError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
