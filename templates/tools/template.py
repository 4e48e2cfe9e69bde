"""Use the template again: fetch its repository and run `hooks/update.py` of the release that is wanted."""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ANSWERS = ROOT / ".copier-answers.yml"
RELEASE = r"v?\d+(\.\d+)*(\.post\d+)?(\+[\w.]+)?"
ALIASES = ("url.https://github.com/.insteadOf=gh:", "url.https://gitlab.com/.insteadOf=gl:")
REFS = ("+HEAD:refs/remotes/origin/HEAD", "+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*")


def git(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [shutil.which("git") or sys.exit("install git"), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", check=False)


def recorded(key: str) -> str:
    """Return what Copier has recorded. YAML may have folded it over several lines."""
    text = ANSWERS.read_text(encoding="utf-8") if ANSWERS.exists() else ""
    found = re.search(rf"^{key}: *(.+(?:\n +.+)*)", text, flags=re.MULTILINE)
    remedy = f"restore {ANSWERS.name} first: it records the template of this project"
    return " ".join(found[1].split()).strip("'\"") if found else sys.exit(remedy)


def resolve(clone: Path, ref: str) -> str:
    """Return the commit of a branch, a tag or a commit, or nothing."""
    for name in (f"origin/{ref}", ref) if ref and (clone / ".git" / "HEAD").exists() else ():
        found = git("rev-parse", "--verify", "--quiet", f"{name}^0", folder=clone).stdout.strip()
        if found:
            return found
    return ""


def fetch(source: str, clone: Path) -> None:
    git("init", "--quiet", str(clone))
    command = [*(part for alias in ALIASES for part in ("-c", alias)), "fetch", "--quiet", "--force"]
    fetched = git(*command, "--prune", "--", source.removeprefix("git+"), *REFS, folder=clone)
    if fetched.returncode:
        remedy = "try again later, or run `just template-source URL` if the template has moved"
        sys.exit(f"{remedy}: {source} is not reachable ({fetched.stderr.strip().splitlines()[0]})")


def require_trust(source: str) -> None:
    """Ask once in each repository whether the code of a template may run. `copier copy --trust` was a yes."""
    if source in git("config", "--get-all", "template.trust").stdout.splitlines():
        return
    if not sys.stdin.isatty():
        sys.exit(f"run `git config --add template.trust {source}` or add --trust: hooks/update.py would run")
    answer = ""
    with suppress(EOFError, KeyboardInterrupt):
        answer = input(f"This runs hooks/update.py from {source}. Do you trust it? [y/N] ")
    if answer.lower() not in ("y", "yes"):
        sys.exit("stopped: nothing has changed")
    git("config", "--add", "template.trust", source)


def main() -> int:
    parser = argparse.ArgumentParser(allow_abbrev=False, add_help=False)
    parser.add_argument("command", choices=["update", "add-module", "remove-module", "diff", "source"])
    parser.add_argument("--to", default="")
    parser.add_argument("--source", default="")
    parser.add_argument("--abort", action="store_true")
    parser.add_argument("--trust", action="store_true")
    arguments, options = parser.parse_known_args()
    if git("rev-parse", "--verify", "HEAD").returncode:
        sys.exit("run `git init`, `git add -A` and `git commit` first: this is no repository with a commit")
    folder = ROOT / git("rev-parse", "--git-path", "template-update").stdout.strip()
    if arguments.abort:
        undo = folder / git("rev-parse", "--show-prefix").stdout.strip() / "undo.py"
        if not undo.exists():
            sys.exit("nothing to undo: no update is recorded here")
        return subprocess.run([sys.executable, str(undo), str(ROOT)], check=False).returncode
    source, current = arguments.source or recorded("_src_path"), recorded("_commit")
    clone = folder.with_name("template-source") / hashlib.sha256(source.encode()).hexdigest()[:12]
    ref = arguments.to or (current if arguments.command != "update" else "")
    if ref != current or not resolve(clone, ref):
        fetch(source, clone)
    if not resolve(clone, ref):
        if arguments.to:
            sys.exit(f"choose another release than {ref!r}: {source} has none of that name")
        tags = git("tag", "--sort=-version:refname", folder=clone).stdout.split()
        ref = next((tag for tag in tags if re.fullmatch(RELEASE, tag)), "HEAD")
    git("checkout", "--quiet", "--force", "--detach", resolve(clone, ref), folder=clone)
    hook = clone / "hooks" / "update.py"
    if not hook.exists():
        sys.exit(f"choose a newer release with `--to`: {ref} of {source} cannot update projects")
    if not arguments.trust:
        require_trust(source)
    uv = os.environ.get("UV") or shutil.which("uv") or sys.exit("install uv: `python3 -m pip install uv`")
    command = [uv, "run", "--script", str(hook), f"--source={source}", f"--to={arguments.to}", str(ROOT)]
    return subprocess.run([*command, arguments.command, *options], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
