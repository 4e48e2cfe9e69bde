"""tag_releases.py tags each commit that changes the version, once."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from support import ROOT, git
from tag_releases import releases

SCRIPT = ROOT / "tools" / "tag_releases.py"


def run(repository: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *options, str(repository)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """A repository with three releases, and commits that look like a release."""
    repository = tmp_path / "history"
    repository.mkdir()
    git(repository, "init", "--quiet")
    for text in (
        "no version yet",
        '[project]\nversion = "0.0.1"\n',
        '[project]\nversion = "0.1.0.dev0"\n',
        '[project]\nversion = "0.1.0"\n',
        '[project]\nversion = "0.2.0"\n',
        '[project]\nversion = "0.2.0"\n[tool.other]\nversion = "9"\n',
        '[project]\nversion="0.2.0"\n',
        '[project]\nversion = "1.0.0rc1"\n',
    ):
        name = "pyproject.toml" if "[project]" in text else "README.md"
        (repository / name).write_text(text)
        git(repository, "add", "--all")
        git(repository, "commit", "--quiet", "--message", text)
    return repository


def test_only_releases_are_tagged(history: Path) -> None:
    assert run(history).stdout.splitlines() == ["tagged 0.1.0", "tagged 0.2.0", "tagged 1.0.0rc1"]
    subjects = [git(history, "log", "-1", "--format=%s", tag).strip() for tag in ("0.1.0", "0.2.0", "1.0.0rc1")]
    assert subjects == [f'[project] version = "{version}"' for version in ("0.1.0", "0.2.0", "1.0.0rc1")]
    assert run(history).stdout == ""


def test_fork_tags_its_merge_of_a_release(history: Path, tmp_path: Path) -> None:
    """The commit that set the version upstream lacks what the fork has changed."""
    git(tmp_path, "clone", "--quiet", "--no-tags", str(history), "fork")
    fork = tmp_path / "fork"
    git(fork, "switch", "--quiet", "--create", "acme", ":/0.2.0")
    (fork / "acme.yml").write_text("cost_center: {type: str}\n")
    git(fork, "add", "--all")
    git(fork, "commit", "--quiet", "--message", "A question of ours")
    git(fork, "merge", "--quiet", "--no-ff", "--message", "Take 1.0.0rc1", "main")
    assert run(fork).stdout.splitlines()[-1] == "tagged 1.0.0rc1"
    assert "acme.yml" in git(fork, "ls-tree", "--name-only", "1.0.0rc1")
    assert git(fork, "log", "-1", "--format=%s", "0.2.0").startswith("[project]")


def test_existing_tag_is_not_moved(history: Path) -> None:
    git(history, "tag", "0.1.0", "HEAD")
    assert run(history).stdout.splitlines() == ["tagged 0.2.0", "tagged 1.0.0rc1"]
    assert git(history, "rev-parse", "0.1.0") == git(history, "rev-parse", "HEAD")


def test_list_prints_releases_without_tagging(history: Path) -> None:
    listed = [line.split() for line in run(history, "--list").stdout.splitlines()]
    assert [version for version, _ in listed] == ["0.1.0", "0.2.0", "1.0.0rc1"]
    assert listed[-1][1] == git(history, "rev-parse", "HEAD").strip()
    assert git(history, "tag") == ""


def test_repository_without_commits_has_no_releases(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    assert (run(tmp_path).returncode, run(tmp_path).stdout) == (0, "")


def test_shallow_clone_is_rejected(history: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--depth=1", history.as_uri(), "shallow")
    result = run(tmp_path / "shallow")
    assert result.returncode == 1
    assert "git fetch --unshallow" in result.stderr


def test_changelog_has_a_section_for_each_release() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    dated = {match[1] for heading in headings if (match := re.fullmatch(r"(\S+) - \d{4}-\d\d-\d\d", heading))}
    assert {*headings} - {"Unreleased"} == {heading for heading in headings if heading.split()[0] in dated}
    assert {*releases(ROOT)} <= dated
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert headings[0].split()[0] == ("Unreleased" if ".dev" in version else version)


def section(changelog: str, version: str) -> list[str]:
    """Return the entries of a release."""
    _, _, rest = changelog.partition(f"\n## {version}")
    return re.findall(r"^- .+", rest.partition("\n## ")[0], flags=re.MULTILINE)


@pytest.mark.parametrize("version", releases(ROOT))
def test_released_section_of_the_changelog_gains_no_entries(version: str) -> None:
    """What is merged after a release is in the next one. Git puts an entry of an older branch below the old heading."""
    then = section(git(ROOT, "show", f"{releases(ROOT)[version]}:CHANGELOG.md"), version)
    now = section((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), version)
    assert len(now) <= len(then), [entry for entry in now if entry not in then]


def test_entries_of_the_changelog_begin_with_their_mark() -> None:
    """The report of an update groups them: what is to be done by hand comes first."""
    entries = re.split(r"\n(?=- |#|\n)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    hidden = [entry for entry in entries if re.search(r"(?<!^- )\b([Bb]y hand[,:]|New projects:)", entry)]
    assert [entry for entry in hidden if entry.startswith("- ")] == []
