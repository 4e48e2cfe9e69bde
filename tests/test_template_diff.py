"""`just template-diff`: what the template has changed in a module since the project took it is shown, or merged."""

from collections.abc import Callable
from pathlib import Path

import pytest
import undo
from merge import Template
from support import answers_of, git, release, rendered_files
from template_diff import run
from update import Refused, Request, update

QUESTIONS = """\
_subdirectory: templates
_templates_suffix: .jinja
_answers_file: .copier-answers.yml
framework: {type: str, default: flask}
package: {type: str, default: shop}
own_modules: {type: yaml, default: "[]"}
modules: {type: yaml, default: "[billing, items, legacy]"}
catalogue: {type: json, when: false, default: "{{ {'flask': ['billing']}[framework] | to_json }}"}
"""
SERVICES = "".join(f"def service_{number}(): ...\n" for number in range(20))
ITEMS = "templates/src/{{ package }}/{% yield module from modules %}{{ module }}{% endyield %}/services.py"
BILLING = "templates/src/{{ package }}/billing"


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def commit(project: Path) -> None:
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "Work")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A template with release 1.0.0, and 2.0.0, which changes a module of the catalogue and the scaffold."""
    clone = tmp_path / "template"
    put(clone / "copier.yml", QUESTIONS)
    put(clone / "templates" / "{{ _copier_conf.answers_file }}.jinja", "{{ _copier_answers | to_nice_yaml -}}")
    put(clone / ITEMS, SERVICES)
    put(clone / BILLING / "rules.py", SERVICES)
    put(clone / BILLING / "dropped.py", "dropped\n")
    put(clone / BILLING / "migrations" / "0001.py", "first\n")
    put(clone / "templates/tests/billing/test_rules.py", "test\n")
    release(clone, "1.0.0")
    edit(clone / ITEMS, "def service_2()", "def second()")
    edit(clone / BILLING / "rules.py", "def service_2()", "def second()")
    (clone / BILLING / "dropped.py").unlink()
    put(clone / BILLING / "models.py", "added\n")
    put(clone / BILLING / "migrations" / "0001.py", "first, with a column\n")
    put(clone / "templates/tests/billing/test_rules.py", "better test\n")
    release(clone, "2.0.0")
    return clone


@pytest.fixture
def template(clone: Path) -> Template:
    return Template(clone, str(clone))


@pytest.fixture
def project(template: Template, tmp_path: Path) -> Path:
    """A project of 1.0.0 with an edit in a module, updated to 2.0.0."""
    project = tmp_path / "shop"
    template.render(project, "1.0.0", {})
    git(project, "init", "--quiet")
    commit(project)
    edit(project / "src/shop/billing/rules.py", "def service_15()", "def ours()")
    commit(project)
    update(template, project, Request("2.0.0"))
    commit(project)
    return project


def test_changes_are_shown_and_nothing_is_written(
    template: Template, project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = rendered_files(project)
    assert run(template, project, [], apply=False) == 0
    shown = capfd.readouterr().out
    files = [line.split(" b/")[1] for line in shown.splitlines() if line.startswith("diff ")]
    assert files == [
        *(f"src/shop/billing/{name}.py" for name in ("dropped", "models", "rules", "services")),
        "tests/billing/test_rules.py",
    ]
    assert "+def second()" in shown
    assert "ours" not in shown
    assert "billing: taken from 1.0.0, the project is at 2.0.0\n" in shown
    assert (rendered_files(project), git(project, "status", "--porcelain")) == (before, "")


def test_changes_are_merged_into_the_module_alone(
    template: Template, project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = rendered_files(project)
    assert run(template, project, ["billing"], apply=True) == 0
    assert "`just make-migration NAME`" in capfd.readouterr().out
    rules = SERVICES.replace("def service_2()", "def second()")
    after = before | {
        "src/shop/billing/rules.py": rules.replace("def service_15()", "def ours()").encode(),
        "src/shop/billing/services.py": rules.encode(),
        "src/shop/billing/models.py": b"added\n",
        "tests/billing/test_rules.py": b"better test\n",
    }
    del after["src/shop/billing/dropped.py"]
    assert rendered_files(project) == after
    undo.undo(project)
    assert (rendered_files(project), git(project, "status", "--porcelain")) == (before, "")
    assert run(template, project, ["billing"], apply=True) == 0
    commit(project)
    capfd.readouterr()
    assert run(template, project, [], apply=False) == 0
    assert capfd.readouterr().out.endswith("\nNothing to take.\n")
    assert run(template, project, ["items"], apply=True) == 0
    assert rendered_files(project) == after | {"src/shop/items/services.py": rules.encode()}


def test_conflict_is_named(template: Template, project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    edit(project / "src/shop/billing/rules.py", "def service_2()", "def two()")
    commit(project)
    assert run(template, project, [], apply=True) == 1
    named = "conflict: src/shop/billing/rules.py, you and the template changed the same lines\n"
    assert named in capfd.readouterr().out
    assert git(project, "diff", "--name-only", "--diff-filter=U") == "src/shop/billing/rules.py\n"


def test_module_is_compared_with_the_release_that_it_was_added_from(
    template: Template, clone: Path, project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    update(template, project, Request("2.0.0", {"modules": ["billing", "items", "legacy", "orders"]}))
    commit(project)
    edit(clone / ITEMS, "def service_9()", "def ninth()")
    release(clone, "3.0.0")
    update(template, project, Request("3.0.0"))
    commit(project)
    assert run(template, project, ["orders"], apply=False) == 0
    shown = capfd.readouterr().out
    assert "orders: taken from 2.0.0, the project is at 3.0.0\n" in shown
    assert "+def ninth()" in shown
    assert "second" not in shown.replace(" def second", "")


def own(project: Path) -> None:
    edit(project / ".copier-answers.yml", "own_modules: []", "own_modules: [legacy]")
    commit(project)


def uncommitted(project: Path) -> None:
    put(project / "notes.txt", "not committed")


def unknown_release(project: Path) -> None:
    git(Path(answers_of(project)["_src_path"]), "tag", "-d", "1.0.0")


def without_answers(project: Path) -> None:
    git(project, "checkout", "--quiet", "--orphan", "other")
    git(project, "rm", "--quiet", "--cached", ".copier-answers.yml")
    git(project, "commit", "--quiet", "--message", "Code")
    commit(project)


@pytest.mark.parametrize(("module", "prepare", "sentence"), [
    ("orders", None, "choose one of billing, items, legacy: the template has no module 'orders' here"),
    ("legacy", own, "choose one of billing, items: the template has no module 'legacy' here"),
    ("billing", uncommitted, "commit or stash your changes first, so that the new ones stand alone"),
    ("billing", unknown_release, "compare billing with a new project: "),
    ("billing", without_answers, "compare src/shop/billing with a new project: the commit that added it has no "),
])  # fmt: skip
def test_bad_input_is_one_sentence_and_changes_nothing(
    module: str, prepare: Callable[[Path], None] | None, sentence: str, template: Template, project: Path
) -> None:
    if prepare:
        prepare(project)
    before = rendered_files(project)
    with pytest.raises(Refused) as refused:
        run(template, project, [module], apply=True)
    assert str(refused.value).startswith(sentence)
    assert "\n" not in str(refused.value)
    assert rendered_files(project) == before
