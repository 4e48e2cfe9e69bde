"""tools/template.py as a user types it, with a small template: what runs, who is asked, and what stops it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from merge import Template
from servers import clean_environment
from support import ROOT, answers_of, git, release, rendered_files
from update import Report, recipes

QUESTIONS = """\
_subdirectory: templates
_templates_suffix: .jinja
_answers_file: .copier-answers.yml
framework: {type: str, default: flask}
package: {type: str, default: shop}
modules: {type: yaml, default: "[items]"}
pages: {type: bool, default: false}
"""
GUIDE = "".join(f"Sentence {number} of the guide.\n" for number in range(20))
FILES = {
    "{{ _copier_conf.answers_file }}.jinja": "{{ _copier_answers | to_nice_yaml -}}",
    "src/{{ package }}/modules.py.jinja": "MODULES = {{ modules }}\n",
    "src/{{ package }}/{% yield module from modules %}{{ module }}{% endyield %}/models.py": "model\n",
    "{% if pages %}pages.md{% endif %}": "Pages.\n",
    "guide.md": GUIDE,
}


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def commit(project: Path) -> None:
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "Work")


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A template with the releases 0.9.0, which has no hooks, 1.0.0 and 2.0.0, and a project of 1.0.0 beside it."""
    folder = tmp_path_factory.mktemp("origin")
    template = folder / "template"
    put(template / "copier.yml", QUESTIONS)
    for path, text in FILES.items():
        put(template / "templates" / path, text)
    release(template, "0.9.0")
    shutil.copytree(ROOT / "hooks", template / "hooks", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "templates" / "tools", template / "templates" / "tools")
    put(template / "CHANGELOG.md", "# Changelog\n\n## 1.0.0\n\n- First.\n")
    release(template, "1.0.0")
    put(template / "templates" / "guide.md", GUIDE.replace("Sentence 3 ", "Statement 3 "))
    put(template / "templates" / "added.md", "Added.\n")
    put(template / "CHANGELOG.md", "# Changelog\n\n## 2.0.0\n\n- The guide\n  is better.\n\n## 1.0.0\n\n- First.\n")
    release(template, "2.0.0")
    git(template, "tag", "newest")
    git(template, "tag", "3.0.0rc1")
    return folder


@pytest.fixture
def template(origin: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(origin / "template", tmp_path / "template"))


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Path:
    project = tmp_path / "shop"
    Template(template, str(template)).render(project, "1.0.0", {})
    git(project, "init", "--quiet")
    git(project, "config", "template.trust", str(template))
    commit(project)
    return project


@pytest.fixture
def uv(tmp_path: Path) -> Path:
    """A stub of uv that runs a script with this environment's Copier."""
    stub = tmp_path / "bin" / "uv"
    put(stub, f'#!/bin/sh\nshift 2\nexec "{sys.executable}" "$@"\n')
    stub.chmod(0o755)
    return stub


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(project: Path, uv: Path) -> Run:
    """Run tools/template.py as the recipes do. Without a terminal, unless the answer is given."""

    def run(*arguments: str, answer: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "tools/template.py", *arguments]
        leader, terminal = os.openpty()
        os.write(leader, answer.encode())
        done = subprocess.run(
            command,
            cwd=project,
            env=clean_environment(UV=str(uv)),
            stdin=terminal if answer else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        os.close(leader)
        os.close(terminal)
        return done

    return run


def state(project: Path) -> tuple[dict[str, bytes], str, str]:
    answers = (project / ".copier-answers.yml").read_bytes()
    return rendered_files(project) | {"answers": answers}, git(project, "status", "--porcelain"), git(project, "log")


def test_update_reports_stops_at_conflicts_and_is_undone(project: Path, run: Run) -> None:
    put(project / "guide.md", GUIDE.replace("Sentence 3 ", "My sentence 3 "))
    commit(project)
    before = state(project)
    dry = run("update", "--dry-run", "--json")
    assert (dry.returncode, state(project)) == (0, before), dry.stderr
    report = json.loads(dry.stdout)
    assert (report["from"], report["to"], report["changelog"]) == ("1.0.0", "2.0.0", ["  - The guide\n    is better."])
    assert {file["path"]: file["status"] for file in report["files"]} == {"added.md": "added", "guide.md": "conflict"}
    first = run("update")
    assert first.returncode == 1
    for line in ("1.0.0 -> 2.0.0", "  - The guide", "  guide.md: you and the template changed the same lines"):
        assert f"{line}\n" in first.stdout
    again = run("update")
    assert (again.returncode, "  guide.md\n" in again.stdout) == (1, True)
    put(project / "notes.txt", "not of the update\n")
    undone = run("update", "--abort")
    assert undone.returncode == 0, undone.stderr
    assert "notes.txt" in undone.stdout
    (project / "notes.txt").unlink()
    assert state(project) == before
    assert run("update", "--abort").stderr == "nothing to undo: no update is recorded here\n"
    branch = run("update", "--to", "main", "--no-check", "-d", "pages=true")
    assert (branch.returncode, (project / "pages.md").exists()) == (1, True)


def test_modules_are_added_at_once_and_without_the_network(template: Path, project: Path, run: Run) -> None:
    assert run("update", "--dry-run").returncode == 0
    template.rename(template.with_name("away"))
    added = run("add-module", "orders parts")
    assert (added.returncode, added.stdout) == (0, "modules 'orders', 'parts' added, not committed\n"), added.stderr
    assert answers_of(project)["modules"] == ["items", "orders", "parts"]
    assert answers_of(project)["_commit"] == "1.0.0"
    assert git(project, "diff", "--cached", "--name-only").split() == [
        ".copier-answers.yml", "src/shop/modules.py", "src/shop/orders/models.py", "src/shop/parts/models.py"
    ]  # fmt: skip
    assert run("add-module", "other").stderr.startswith("commit or stash your changes first")
    assert run("update", "--abort").returncode == 0
    assert git(project, "status", "--porcelain") == ""


def test_report_lists_first_what_is_to_be_done_by_hand() -> None:
    changes = ["  - It arrives.", "  - New projects: other.", "  - By hand, module `items`: do it.\n    Now."]
    assert [*Report("1.0.0", "2.0.0", changes).lines()][2:] == [
        "To do by hand:", changes[2], "", "What changed in the template:", changes[0], "",
        "Not in your modules; `just template-diff` shows it for those that come with code:", changes[1],
    ]  # fmt: skip


def test_modules_are_compared(project: Path, run: Run) -> None:
    shown = run("diff", "items")
    expected = "items: taken from 1.0.0, the project is at 1.0.0\nNothing to take.\n"
    assert (shown.returncode, shown.stdout) == (0, expected), shown.stderr
    assert run("diff", "orders", "--apply").stderr.startswith("choose one of items: ")


def test_trust_is_asked_once_for_a_source(template: Path, project: Path, run: Run) -> None:
    git(project, "config", "--unset", "template.trust")
    before = state(project)
    refused = run("update")
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)
    assert refused.stderr.startswith(f"run `git config --add template.trust {template}` or add --trust: ")
    assert run("update", "--trust", "--dry-run").returncode == 0
    for answer in ("\n", "\x04"):
        no = run("update", answer=answer)
        assert (no.returncode, no.stderr) == (1, "stopped: nothing has changed\n")
        assert str(template) in no.stdout
    assert state(project) == before
    assert "1.0.0 -> 2.0.0" in run("update", "--dry-run", answer="y\n").stdout
    assert run("update", "--dry-run").returncode == 0


def test_moved_template_is_recorded(template: Path, project: Path, run: Run, tmp_path: Path) -> None:
    moved = template.rename(tmp_path / "mirror")
    gone = run("update")
    assert (gone.returncode, gone.stderr.count("\n")) == (1, 1)
    assert gone.stderr.startswith("try again later, or run `just template-source URL` if the template has moved: ")
    before = state(project)
    other = tmp_path / "other"
    put(other / "README.md", "Another repository\n")
    release(other, "5.0")
    wrong = run("source", "--source", str(other), "--trust")
    assert (wrong.returncode, wrong.stderr.count("\n"), state(project)) == (1, 1, before)
    recorded = run("source", "--source", str(moved), "--trust")
    assert recorded.returncode == 0, recorded.stderr
    assert answers_of(project)["_src_path"] == str(moved)
    commit(project)
    assert run("update", "--trust", "--dry-run").returncode == 0


def set_answer(old: str, new: str) -> Callable[[Path], None]:
    def change(project: Path) -> None:
        file = project / ".copier-answers.yml"
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))
        commit(project)

    return change


def no_answers(project: Path) -> None:
    (project / ".copier-answers.yml").unlink()
    commit(project)


def another_template(project: Path) -> None:
    source = answers_of(project)["_src_path"]
    put(project / ".copier-answers.yml", f"_commit: 1.0.0\n_src_path: {source}\nname: Shop\n")
    commit(project)


def uncommitted(project: Path) -> None:
    put(project / "notes.txt", "not committed")


def newer(project: Path) -> None:
    set_answer("_commit: 1.0.0", "_commit: 2.0.0")(project)


@pytest.mark.parametrize(("arguments", "prepare", "sentence"), [
    ("update", uncommitted, "commit or stash your changes first"),
    ("update", no_answers, "restore .copier-answers.yml first: it records the template"),
    ("update", set_answer("package: shop", "package: [shop"), "restore .copier-answers.yml with `git checkout HEAD~ "),
    ("update", set_answer("framework: flask", "framework: django"), "put framework: flask back into "),
    ("update", set_answer("_commit: 1.0.0", "_commit: 1.9.9"), "set `_commit` in .copier-answers.yml to the last"),
    ("add-module orders", set_answer("_commit: 1.0.0", "_commit: 1.9.9"), "set `_commit` in .copier-answers.yml to "),
    ("update -d databse=postgresql", None, "the template has no question 'databse'"),
    ("update --to 9.9.9", None, "choose another release than '9.9.9'"),
    ("update", another_template, "put package back into .copier-answers.yml: an update needs it"),
    ("update --to newest", None, "choose a release, a branch or a commit: the tag 'newest' is no version"),
    ("update --to 0.9.0", None, "choose a newer release with `--to`: 0.9.0 "),
    ("update --to 1.0.0", newer, "stay, or follow unreleased changes with `--to HEAD`: this project is at 2.0.0"),
    ("add-module items", None, "choose another name: module 'items' already exists"),
])  # fmt: skip
def test_bad_input_is_one_sentence_and_changes_nothing(
    arguments: str, prepare: Callable[[Path], None] | None, sentence: str, project: Path, run: Run
) -> None:
    if prepare:
        prepare(project)
    before = state(project) if (project / ".copier-answers.yml").exists() else None
    done = run(*arguments.split())
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    assert done.stderr.startswith(sentence)
    assert before is None or state(project) == before


def test_new_tables_get_a_migration_between_setup_and_check(project: Path) -> None:
    put(project / "src" / "shop" / "events" / "models.py", "model\n")
    git(project, "add", "--all")
    assert [*recipes(project)] == [["setup"], ["check"]]
    put(project / "migrations" / "versions" / "0001.py", "")
    commit(project)
    put(project / "src" / "shop" / "orders" / "models.py", "model\n")
    git(project, "add", "--all")
    assert [*recipes(project)] == [["setup"], ["make-migration", "add orders"], ["migrate"], ["check"]]
    put(project / "migrations" / "versions" / "0002.py", "")
    assert [*recipes(project)] == [["setup"], ["check"]]
