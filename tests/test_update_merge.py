"""The merge engine, on a small template: nothing is lost, everything is named, and any point can be undone."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import undo
from merge import Template
from support import ROOT, answers_of, git, release, rendered_files
from update import Refused, Report, Request, main, update

QUESTIONS = """\
_subdirectory: templates
_templates_suffix: .jinja
_answers_file: .copier-answers.yml
framework: {type: str, default: flask}
package: {type: str, default: shop}
modules: {type: yaml, default: "[items]"}
pages: {type: bool, default: false}
ci: {type: str, default: github, choices: [github, gitlab]}
"""
SETTINGS = "".join(f"OPTION_{number} = {number}\n" for number in range(40))
LOGS = "".join(f"log {number}\n" for number in range(40))
HEALTH = "".join(f"def check_{number}(): ...\n" for number in range(20))
GUIDE = "".join(f"Sentence {number} of the guide.\n" for number in range(20))
MODULE = "{% yield module from modules %}{{ module }}{% endyield %}"
FILES = {
    "{{ _copier_conf.answers_file }}.jinja": "{{ _copier_answers | to_nice_yaml -}}",
    ".gitattributes": "* text=auto eol=lf\n",
    "src/{{ package }}/modules.py.jinja": "MODULES = {{ modules }}\n",
    "src/{{ package }}/core/settings.py": SETTINGS,
    "src/{{ package }}/core/logs.py": LOGS,
    "src/{{ package }}/core/health.py": HEALTH,
    f"src/{{{{ package }}}}/{MODULE}/models.py": "model\n",
    f"src/{{{{ package }}}}/{MODULE}/{{% if pages %}}pages.py{{% endif %}}": "page\n",
    f"tests/{MODULE}/test_models.py": "test\n",
    "{% if pages %}docs{% endif %}/pages.md": "Pages.\n",
    "{% if ci == 'github' %}.github{% endif %}/ci.yml": "".join(f"step {number}\n" for number in range(10)),
    "migrations/versions/0001.py": "first\n",
    "guide.md": GUIDE,
    "pyproject.toml": 'dependencies = [\n  "a",\n  "b",\n  "c",\n]\n',
}
CORE = "src/shop/core"


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A template with release 1.0.0."""
    folder = tmp_path / "template"
    (folder / "templates").mkdir(parents=True)
    (folder / "copier.yml").write_text(QUESTIONS)
    (folder / "CHANGELOG.md").write_text("# Changelog\n\n## 1.0.0\n\n- First.\n")
    for path, text in FILES.items():
        put(folder / "templates" / path, text)
    release(folder, "1.0.0")
    return folder


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Path:
    return start(template, tmp_path / "shop")


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


def start(template: Path, target: Path) -> Path:
    Template(template, str(template)).render(target, "1.0.0", {"pages": False})
    git(target, "init", "--quiet")
    commit(target)
    return target


def commit(project: Path) -> None:
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "Work")


def in_template(template: Path, path: str) -> Path:
    return template / "templates" / path.replace("src/shop", "src/{{ package }}")


def run(template: Path, project: Path, version: str = "2.0.0", **data: str) -> Report:
    return update(Template(template, str(template)), project, Request(version, data))


def statuses(report: Report) -> dict[str, str]:
    return {file["path"]: file["status"] for file in report.files}


def read(project: Path, path: str) -> str:
    return (project / path).read_bytes().decode()


def test_edits_of_every_kind_are_merged_or_named(template: Path, project: Path) -> None:
    mine = project / CORE
    put(mine / "settings.py", SETTINGS.replace("OPTION_39 = 39\n", "OPTION_39 = 39\nMINE = 1\n"))
    put(mine / "logs.py", LOGS.replace("log 5\n", "my log 5\n"))
    put(mine / "health.py", HEALTH + "def mine(): ...\n")
    put(mine / "own.py", "own\n")
    (project / "guide.md").rename(project / "our_guide.md")
    put(project / "pyproject.toml", FILES["pyproject.toml"].replace('  "a",\n', '  "a",\n  "mine",\n'))
    put(project / "src/shop/items/models.py", "my model\n")
    (project / ".github/ci.yml").unlink()
    commit(project)

    put(in_template(template, f"{CORE}/settings.py"), SETTINGS.replace("OPTION_0 = 0", "OPTION_0 = 'new'"))
    put(in_template(template, f"{CORE}/logs.py"), LOGS.replace("log 5\n", "their log 5\n"))
    in_template(template, f"{CORE}/health.py").unlink()
    put(in_template(template, "guide.md"), GUIDE.replace("Sentence 3 ", "Statement 3 "))
    put(in_template(template, "pyproject.toml"), FILES["pyproject.toml"].replace('  "c",\n', '  "c",\n  "new",\n'))
    put(in_template(template, "{% if ci == 'github' %}.github{% endif %}/ci.yml"), "new step\n")
    put(in_template(template, "added.md"), "Added.\n")
    put(in_template(template, f"src/{{{{ package }}}}/{MODULE}/models.py"), "their model\n")
    put(in_template(template, "migrations/versions/0001.py"), "changed\n")
    release(template, "2.0.0")
    report = run(template, project)

    assert statuses(report) == {
        ".github/ci.yml": "yours",
        "added.md": "added",
        "our_guide.md": "merged",
        "pyproject.toml": "merged",
        f"{CORE}/health.py": "kept",
        f"{CORE}/logs.py": "conflict",
        f"{CORE}/settings.py": "merged",
    }
    assert "OPTION_0 = 'new'\n" in read(project, f"{CORE}/settings.py")
    assert "MINE = 1\n" in read(project, f"{CORE}/settings.py")
    assert read(project, "our_guide.md") == GUIDE.replace("Sentence 3 ", "Statement 3 ")
    assert not (project / "guide.md").exists()
    assert '"mine"' in read(project, "pyproject.toml")
    assert '"new"' in read(project, "pyproject.toml")
    assert "my log 5\n=======\ntheir log 5\n>>>>>>> template-2.0.0\n" in read(project, f"{CORE}/logs.py")
    assert git(project, "ls-files", "--unmerged", f"{CORE}/logs.py").count("\n") == 3
    assert read(project, f"{CORE}/health.py") == HEALTH + "def mine(): ...\n"
    assert read(project, "src/shop/items/models.py") == "my model\n"
    assert not (project / ".github/ci.yml").exists()
    staged = git(project, "diff", "--cached", "--name-status", "--no-renames").splitlines()
    assert "A\tadded.md" in staged
    assert "M\t.copier-answers.yml" in staged
    assert git(project, "status", "--porcelain", "--untracked-files").count("??") == 0
    assert answers_of(project)["_commit"] == "2.0.0"


def test_untouched_project_equals_a_new_one(template: Path, project: Path, tmp_path: Path) -> None:
    in_template(template, f"{CORE}/logs.py").rename(in_template(template, f"{CORE}/logging.py"))
    in_template(template, "guide.md").unlink()
    put(in_template(template, f"{CORE}/settings.py"), SETTINGS + "NEW = 1\n")
    release(template, "2.0.0")
    report = run(template, project)
    Template(template, str(template)).render(tmp_path / "fresh", "2.0.0", {})
    assert rendered_files(project) == rendered_files(tmp_path / "fresh")
    assert statuses(report) == {
        f"{CORE}/logging.py": "renamed", f"{CORE}/settings.py": "updated", "guide.md": "removed"
    }  # fmt: skip


def test_edits_follow_a_file_that_the_template_renames(template: Path, project: Path) -> None:
    put(project / CORE / "logs.py", LOGS.replace("log 5\n", "my log 5\n"))
    commit(project)
    in_template(template, f"{CORE}/logs.py").unlink()
    put(in_template(template, "src/shop/base/logging.py"), LOGS.replace("log 30\n", "their log 30\n"))
    release(template, "2.0.0")
    assert statuses(run(template, project)) == {"src/shop/base/logging.py": "merged"}
    text = read(project, "src/shop/base/logging.py")
    assert "my log 5\n" in text
    assert "their log 30\n" in text
    assert not (project / CORE / "logs.py").exists()


def test_crlf_is_merged_where_attributes_say_lf(template: Path, project: Path) -> None:
    for crlf_in_git in (False, True):
        if crlf_in_git:
            (project / ".gitattributes").write_text("* text=auto eol=lf\n*.py -text\n")
            commit(project)
        put(project / CORE / "settings.py", SETTINGS.replace("\n", "\r\n") + "MINE = 1\r\n")
        commit(project)
        put(in_template(template, f"{CORE}/settings.py"), SETTINGS.replace("OPTION_0 = 0", f"OPTION_0 = {crlf_in_git}"))
        release(template, "2.0.0" if not crlf_in_git else "3.0.0")
        report = run(template, project, "2.0.0" if not crlf_in_git else "3.0.0")
        text = read(project, f"{CORE}/settings.py")
        assert "MINE = 1" in text
        assert f"OPTION_0 = {crlf_in_git}" in text
        expected = "conflict" if crlf_in_git else "merged"
        assert statuses(report)[f"{CORE}/settings.py"] == expected
        git(project, "add", "--all")
        commit(project)


@pytest.mark.parametrize("value", ["true", "false"])
def test_toggle_adds_and_removes_files_inside_modules(value: str, template: Path, project: Path) -> None:
    run(template, project, "1.0.0", pages="true")
    assert read(project, "src/shop/items/pages.py") == "page\n"
    assert read(project, "docs/pages.md") == "Pages.\n"
    commit(project)
    if value == "true":
        put(project / "src/shop/items/pages.py", "my page\n")
        put(project / "docs/pages.md", "My pages.\n")
        commit(project)
    report = run(template, project, "1.0.0", pages="false")
    kept = value == "true"
    assert (project / "src/shop/items/pages.py").exists() == kept
    assert (project / "docs/pages.md").exists() == kept
    status = "kept" if kept else "removed"
    assert statuses(report) == {"src/shop/items/pages.py": status, "docs/pages.md": status}
    assert report.answers["changed"] == {"pages": "True -> False"}


def test_modules_are_added_removed_and_never_resurrected(template: Path, project: Path) -> None:
    run(template, project, "1.0.0", modules="[items, orders]")
    assert read(project, "src/shop/orders/models.py") == "model\n"
    assert "orders" in read(project, "src/shop/modules.py")
    commit(project)
    shutil.rmtree(project / "src/shop/items")
    commit(project)
    put(in_template(template, f"src/{{{{ package }}}}/{MODULE}/models.py"), "their model\n")
    put(in_template(template, f"src/{{{{ package }}}}/{MODULE}/more.py"), "more\n")
    release(template, "2.0.0")
    assert run(template, project).files == []
    commit(project)
    report = run(template, project, modules="[items]")
    assert statuses(report) == {"src/shop/modules.py": "updated"}
    assert read(project, "src/shop/orders/models.py") == "model\n"


def test_module_written_into_the_answers_by_hand_is_rendered(template: Path, project: Path) -> None:
    answers = project / ".copier-answers.yml"
    answers.write_text(answers.read_text().replace("- items\n", "- items\n- orders\n"))
    commit(project)
    run(template, project, "1.0.0")
    assert read(project, "src/shop/orders/models.py") == "model\n"
    assert "orders" in read(project, "src/shop/modules.py")


def test_what_stands_in_the_way_is_kept(template: Path, project: Path) -> None:
    (project / ".gitignore").write_text("added.md\n")
    (project / "guide.md").unlink()
    (project / "guide.md").symlink_to("our_guide.md")
    put(project / "our_guide.md", "Ours.\n")
    put(project / "folder", "a file\n")
    commit(project)
    put(project / "added.md", "ignored\n")
    put(in_template(template, "added.md"), "Added.\n")
    put(in_template(template, "guide.md"), "Changed.\n")
    put(in_template(template, "folder/file.md"), "File.\n")
    release(template, "2.0.0")
    assert statuses(run(template, project)) == {"added.md": "kept", "guide.md": "yours", "folder/file.md": "yours"}
    assert read(project, "added.md") == "ignored\n"
    assert read(project, "folder") == "a file\n"
    assert (project / "guide.md").is_symlink()


def test_project_in_a_subfolder_without_identity(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = tmp_path / "company"
    company.mkdir()
    git(company, "init", "--quiet")
    project = start(template, company / "my shop ä")
    shutil.rmtree(project / ".git")
    put(company / "other.txt", "other\n")
    put(project / CORE / "logs.py", "mine\n" + LOGS)
    commit(company)
    put(company / "other.txt", "staged elsewhere\n")
    git(company, "add", "other.txt")
    put(company / ".git/hooks/post-checkout", "#!/bin/sh\nexit 1\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    put(in_template(template, f"{CORE}/logs.py"), LOGS + "theirs\n")
    put(in_template(template, f"{CORE}/ä ö.py"), "new\n")
    monkeypatch.undo()
    release(template, "2.0.0")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    before = git(company, "rev-parse", "HEAD")
    run(template, project)
    assert read(project, f"{CORE}/logs.py") == f"mine\n{LOGS}theirs\n"
    assert read(project, f"{CORE}/ä ö.py") == "new\n"
    assert git(company, "rev-parse", "HEAD") == before
    assert sorted(line[:2] for line in git(company, "status", "--porcelain").splitlines()) == ["A ", "M ", "M ", "M "]
    undo.undo(project)
    assert git(company, "status", "--porcelain") == "M  other.txt\n"


def test_dry_run_changes_nothing(template: Path, project: Path) -> None:
    in_template(template, "guide.md").unlink()
    release(template, "2.0.0")
    before = rendered_files(project)
    put(project / "notes.txt", "not committed\n")
    report = update(Template(template, "x"), project, Request("2.0.0", dry_run=True))
    assert statuses(report) == {"guide.md": "removed"}
    (project / "notes.txt").unlink()
    assert rendered_files(project) == before
    assert git(project, "status", "--porcelain") == ""
    assert undo.read_journal(project) is None


def break_questions(template: Path, _: Path) -> None:
    (template / "copier.yml").write_text(QUESTIONS.replace("github, choices: [github, ", "gitlab, choices: ["))
    release(template, "2.0.0")


def set_answer(old: str, new: str) -> Callable[[Path, Path], None]:
    def change(_: Path, project: Path) -> None:
        file = project / ".copier-answers.yml"
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))
        commit(project)

    return change


def uncommitted(_: Path, project: Path) -> None:
    put(project / "notes.txt", "not committed")


def no_repository(_: Path, project: Path) -> None:
    shutil.rmtree(project / ".git")


@pytest.mark.parametrize(("request_", "prepare", "sentence"), [
    (Request("9.9.9"), None, "choose another release than '9.9.9': the template has none of that name; its newest"),
    (Request("1.0.0", {"page": "true"}), None, "the template has no question 'page'; did you mean pages?"),
    (Request("1.0.0", {"ci": "jenkins"}), None, "Invalid choice"),
    (Request("2.0.0"), break_questions, "choose ci with `-d ci=…` (gitlab), or stay on 1.0.0: ci=github is no longer"),
    (Request("1.0.0"), set_answer("_commit: 1.0", "_commit: 0.7"), "set `_commit` in .copier-answers.yml to the last"),
    (Request("1.0.0"), set_answer("flask", "django"), "put framework: flask back into .copier-answers.yml: the"),
    (Request("1.0.0"), set_answer(": shop", ": [shop"), "restore .copier-answers.yml with `git checkout HEAD~ -- "),
    (Request("1.0.0"), set_answer("_commit", "commit"), "put _commit back into .copier-answers.yml: an update needs"),
    (Request("1.0.0"), uncommitted, "commit or stash your changes first, so that the new ones stand alone"),
    (Request("1.0.0"), no_repository, 'run `git init`, `git add -A` and `git commit -m "Start"` first: this is not'),
])  # fmt: skip
def test_bad_input_is_one_sentence_and_changes_nothing(
    request_: Request, prepare: Callable[[Path, Path], None] | None, sentence: str, template: Path, project: Path
) -> None:
    if prepare:
        prepare(template, project)
    before = rendered_files(project)
    with pytest.raises(Refused) as refused:
        update(Template(template, "the template"), project, request_)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)
    assert rendered_files(project) == before


def test_downgrade_is_refused(template: Path, project: Path) -> None:
    release_with(template, "2.0.0", "a.md")
    run(template, project)
    commit(project)
    with pytest.raises(Refused, match=r"^stay, or follow .* this project is at 2\.0\.0, which is newer than 1\.0\.0$"):
        run(template, project, "1.0.0")


def release_with(template: Path, version: str, path: str) -> None:
    put(in_template(template, path), f"{version}\n")
    release(template, version)


def state(project: Path) -> tuple[dict[str, bytes], str, str]:
    return rendered_files(project), git(project, "status", "--porcelain"), git(project, "rev-parse", "HEAD")


@pytest.mark.parametrize("failure", ["checkout-index", "update-index"])
def test_failure_while_writing_is_taken_back(
    failure: str, template: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(project / CORE / "logs.py", LOGS.replace("log 5\n", "my log 5\n"))
    commit(project)
    put(in_template(template, f"{CORE}/logs.py"), LOGS.replace("log 5\n", "their log 5\n"))
    in_template(template, "guide.md").unlink()
    release_with(template, "2.0.0", "new/added.md")
    before = state(project)
    original = undo.git
    failed: list[str] = []

    def full_disk(where: Path, *arguments: str, data: bytes = b"", index: Path | None = None) -> bytes:
        if arguments[0] == failure and not failed:
            original(where, *arguments, data=data, index=index)
            failed.append(failure)
            raise OSError("no space left on device")
        return original(where, *arguments, data=data, index=index)

    monkeypatch.setattr(undo, "git", full_disk)
    with pytest.raises(OSError, match="no space left"):
        run(template, project)
    assert state(project) == before
    assert undo.read_journal(project) is None
    run(template, project)
    assert state(project) != before
    undo.undo(project)
    assert state(project) == before
    assert not (project / "new").exists()


def cli(template: Path, project: Path, *arguments: str) -> list[str]:
    command = [
        sys.executable,
        str(template / "hooks/update.py"),
        str(project),
        "--source",
        str(template),
        "--to",
        "HEAD",
    ]
    return [*command, "--no-check", *arguments]


def test_killed_update_can_be_undone(template: Path, project: Path) -> None:
    shutil.copytree(ROOT / "hooks", template / "hooks")
    for number in range(60):
        put(in_template(template, f"many/{number}.md"), f"{number}\n")
        put(in_template(template, f"{CORE}/settings.py"), SETTINGS + "NEW = 1\n")
    in_template(template, "guide.md").unlink()
    put(project / CORE / "settings.py", "MINE = 1\n" + SETTINGS)
    commit(project)
    release(template, "2.0.0")
    before = state(project)
    interrupted = 0
    for wait in (0.0, 0.004, 0.02):
        process = subprocess.Popen(cli(template, project), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and not (undo.folder(project) / "journal.json").exists():
            time.sleep(0.001)
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.wait()
        journal = undo.read_journal(project)
        assert journal
        if journal["state"] == undo.APPLYING:
            interrupted += 1
            with pytest.raises(Refused, match="--abort` first: an update was interrupted"):
                main([str(project), "--source", "x", "--to", "HEAD"])
        script = undo.folder(project) / "undo.py"
        subprocess.run([sys.executable, str(script), str(project)], check=True, stdout=subprocess.DEVNULL)
        assert state(project) == before
    assert interrupted


def test_command_reports_and_exits_with_1_while_conflicts_are_open(
    template: Path, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(project / CORE / "logs.py", LOGS.replace("log 5\n", "my log 5\n"))
    commit(project)
    shutil.copytree(ROOT / "hooks", template / "hooks")
    put(in_template(template, f"{CORE}/logs.py"), LOGS.replace("log 5\n", "their log 5\n"))
    (template / "CHANGELOG.md").write_text("# Changelog\n\n## 2.0.0\n\n- Logs\n  differ.\n\n## 1.0.0\n\n- First.\n")
    release(template, "2.0.0")
    arguments = [str(project), "--source", str(template), "--to", "2.0.0", "--no-check"]
    done = subprocess.run(cli(template, project, "--json"), capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    assert (report["from"], report["to"], report["open"]) == ("1.0.0", "2.0.0", 1)
    assert report["changelog"] == ["  - Logs\n    differ."]
    assert report["files"] == [
        {"path": f"{CORE}/logs.py", "status": "conflict", "why": "you and the template changed the same lines"}
    ]
    written = template.parent / "report.txt"
    assert main([*arguments, "--report", str(written)]) == 1
    assert "Conflicts to resolve (1):\n  src/shop/core/logs.py" in written.read_text()
    assert f"  {CORE}/logs.py\n" in capsys.readouterr().out
    git(project, "checkout", "--ours", f"{CORE}/logs.py")
    git(project, "add", "--all")
    assert main(arguments) == 0
    commit(project)
    done = subprocess.run(cli(template, project), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "2.0.0 -> 2.0.0\nNothing to update.\n"), done.stderr
    assert undo.read_journal(project) is None
