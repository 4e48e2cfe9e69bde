"""Make plain `copier update` safe: replace Copier's merge with that of hooks/merge.py.

Copier runs this after its own merge, which deletes files that the user changed and the release removes or renames.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import merge
import undo
from common import find_uv, git, read_answers, unmerged
from merge import ANSWERS, Template
from update import HEADINGS, Request, plan_update, recorded_answers

NAMED = ("conflict", "kept", "yours")


def put_back(project: Path, rendered: Path) -> None:
    """Put the work tree back to the last commit. Copier required that it was clean."""
    git(project, "checkout", "--quiet", "HEAD", "--", ".")
    for path in git(project, "ls-files", "-z", "--others", "--exclude-standard").stdout.split("\0"):
        if path and ((rendered / path).is_file() or path.endswith(".rej")):
            undo.remove(project, path)


def merge_again(project: Path, clone: Path) -> merge.Plan:
    """Merge the release and the answers that Copier took."""
    now = read_answers((project / ANSWERS).read_text(encoding="utf-8"))
    template = Template(clone, now["_src_path"])
    data = {key: value for key, value in now.items() if not key.startswith("_")}
    with merge.temporary_folder() as name:
        folder = Path(name)
        head = git(project, "rev-parse", "HEAD").stdout.strip()
        repository, plan, renders = plan_update(template, project, folder, Request("HEAD", data))
        put_back(project, renders.new)
        merge.spare_ignored(plan, project)
        merge.apply(repository, plan, head)
    return plan


def relock(project: Path) -> str | None:
    """Update uv.lock if the merge changed pyproject.toml. Return what to do by hand if that fails."""
    unchanged = git(project, "diff", "--quiet", "HEAD", "--", "pyproject.toml").returncode == 0
    if unchanged or not (project / "uv.lock").exists() or "pyproject.toml" in unmerged(project):
        return None
    uv = find_uv()
    if uv is None:
        return "install uv and run `uv lock`: uv.lock is out of date"
    result = subprocess.run([uv, "lock", "--quiet"], cwd=project, capture_output=True, text=True, check=False)
    if result.returncode:
        reason = (result.stderr.strip() or "no reason given").splitlines()[-1].strip()
        return f"run `uv lock` again: it failed ({reason})"
    return None


def main() -> int:
    project = Path.cwd()
    plan = merge_again(project, Path(__file__).parent.parent)
    complaint = relock(project)
    if complaint:
        print(complaint, file=sys.stderr)
    for status in NAMED:
        found = {path: why for path, (named, why) in sorted(plan.notes.items()) if named == status}
        # Projects of release 0.1.0 name the conflicts themselves.
        if found and not (status == "conflict" and "UPDATE_NAMES_CONFLICTS" in os.environ):
            print(f"{HEADINGS[status]} in {len(found)} file(s):", file=sys.stderr)
            for path, why in found.items():
                print(f"  {path}: {why}", file=sys.stderr)
    before = recorded_answers(project)
    for key, value in plan.answers.items():
        if not key.startswith("_") and before.get(key, value) != value:
            print(f"Answer changed: {key} is {json.dumps(value)}, it was {json.dumps(before[key])}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
