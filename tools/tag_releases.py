"""Tag every release of this template: the commits that change `version` in pyproject.toml, each with that version.

Copier updates a project from one tag to another, so a clone without tags has nothing to update to. Tags that are there
already stay as they are.
"""

import argparse
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.version import Version


def git(repository: Path, *arguments: str) -> str:
    """What git prints; a failure raises CalledProcessError."""
    command = ["git", *arguments]
    return subprocess.run(command, cwd=repository, check=True, capture_output=True, encoding="utf-8").stdout


def releases(repository: Path) -> dict[str, str]:
    """The commit of each release, by version, oldest first.

    The commit that introduces pyproject.toml changes no version, and a version under development (`.dev0`) is none.
    """
    found: dict[str, str] = {}
    if not git(repository, "rev-list", "--all", "--max-count=1"):
        return found
    changes = ["--reverse", "--topo-order", "--format=%H", "-G", "^version *=", "--", "pyproject.toml"]
    for commit in git(repository, "log", *changes).split()[1:]:
        version = version_at(repository, commit)
        if version and not Version(version).is_devrelease:
            found.setdefault(version, commit)
    return found


def version_at(repository: Path, commit: str) -> str | None:
    """The version that pyproject.toml names in `commit`, if it is there and says so."""
    if not git(repository, "ls-tree", "--name-only", commit, "--", "pyproject.toml"):
        return None
    project = tomllib.loads(git(repository, "show", f"{commit}:pyproject.toml")).get("project", {})
    version: str | None = project.get("version")
    return version


def tag_releases(repository: Path) -> list[str]:
    """Tag the releases that have no tag yet, and return their versions."""
    there = git(repository, "tag", "--list").split()
    missing = {version: commit for version, commit in releases(repository).items() if version not in there}
    for version, commit in missing.items():
        git(repository, "tag", version, commit)
    return list(missing)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository", type=Path, nargs="?", default=Path(), help="a clone; by default the one around")
    parser.add_argument("--list", action="store_true", help="print the releases and their commits, and tag nothing")
    arguments = parser.parse_args()
    if git(arguments.repository, "rev-parse", "--is-shallow-repository").strip() == "true":
        print("this clone is shallow, so releases are missing; run `git fetch --unshallow` first", file=sys.stderr)
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
