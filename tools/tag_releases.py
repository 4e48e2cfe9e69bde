"""Tag every release of this template: each commit of the main line that changes `version` in pyproject.toml.

Copier updates a project from tag to tag. Existing tags are left alone. The main line are the first parents: a fork that
merges a release tags its merge, which has the changes of the fork too.
"""

import argparse
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.version import Version


def git(repository: Path, *arguments: str) -> str:
    """Return the output of git. Raise CalledProcessError if it fails."""
    command = ["git", *arguments]
    return subprocess.run(command, cwd=repository, check=True, capture_output=True, encoding="utf-8").stdout


def releases(repository: Path) -> dict[str, str]:
    """Return the commit of each release by version, oldest first.

    The commit that adds pyproject.toml and development versions (`.dev0`) are not releases.
    """
    found: dict[str, str] = {}
    if not git(repository, "rev-list", "--all", "--max-count=1"):
        return found
    # `-m` compares a merge with its first parent before git 2.31 too, and `-s` prints no diff.
    changes = ["--first-parent", "-m", "-s", "--reverse", "--format=%H", "-G", "^version *=", "--", "pyproject.toml"]
    for commit in git(repository, "log", *changes).split()[1:]:
        version = version_at(repository, commit)
        if version and not Version(version).is_devrelease:
            found.setdefault(version, commit)
    return found


def version_at(repository: Path, commit: str) -> str | None:
    """Return the version in pyproject.toml at `commit`, or None."""
    if not git(repository, "ls-tree", "--name-only", commit, "--", "pyproject.toml"):
        return None
    project = tomllib.loads(git(repository, "show", f"{commit}:pyproject.toml")).get("project", {})
    version: str | None = project.get("version")
    return version


def tag_releases(repository: Path) -> list[str]:
    """Tag the releases without a tag and return their versions."""
    tags = git(repository, "tag", "--list").split()
    missing = {version: commit for version, commit in releases(repository).items() if version not in tags}
    for version, commit in missing.items():
        git(repository, "tag", version, commit)
    return list(missing)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository", type=Path, nargs="?", default=Path(), help="path of a clone (default: here)")
    parser.add_argument("--list", action="store_true", help="print the releases and their commits without tagging")
    arguments = parser.parse_args()
    if git(arguments.repository, "rev-parse", "--is-shallow-repository").strip() == "true":
        print("run `git fetch --unshallow` first: a shallow clone has no releases", file=sys.stderr)
        return 1
    if arguments.list:
        for version, commit in releases(arguments.repository).items():
            print(version, commit)
    else:
        for version in tag_releases(arguments.repository):
            print(f"tagged {version}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
