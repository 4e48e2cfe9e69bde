"""A bad answer, destination or Copier version is rejected with one sentence, and nothing is written."""

import keyword
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import copier
import pytest
import yaml
from copier.errors import UnsupportedVersionError
from support import ROOT, answers_of, git, naming_rules, release, render_into

# The given answers and the message; `…` matches any text on the line.
BAD: list[tuple[dict[str, Any], str]] = [
    ({"project_name": ""}, "use a name such as 'Shop', with a letter a-z or a digit"),
    ({"project_name": "Ä & Ö!"}, "use a name such as 'Shop', with a letter a-z or a digit"),
    ({"project_name": 'The "Shop"'}, "use at most 80 characters, without quotes, backslashes or braces"),
    ({"project_name": "Shop {{ package }}"}, "use at most 80 characters, without quotes, backslashes or braces"),
    ({"project_name": "Shop\nShop"}, "use a name such as 'Shop', without control characters"),
    ({"project_name": "Shop\x07"}, "use a name such as 'Shop', without control characters"),
    ({"project_name": "\x1b[31mShop"}, "use a name such as 'Shop', without control characters"),
    ({"project_name": "Shop\x7f"}, "use a name such as 'Shop', without control characters"),
    ({"project_name": "x" * 81}, "use at most 80 characters, without quotes, backslashes or braces"),
    ({"project_name": "x" * 41}, f"use at most 40 characters: '{'x' * 41}' is too long"),
    ({"project_name": "Class"}, "try 'class_app': 'class' is a Python keyword"),
    ({"project_name": "Test"}, "try 'test_app': 'test' is a module of Python's standard library"),
    ({"project_name": "Django"}, "try 'django_app': 'django' is the import name of a dependency"),
    ({"project_name": "3 Shops"}, "try 'shop': '3_shops' is not a package name (…; first a letter)"),
    ({"package": ""}, "try 'shop': '' is not a package name (…)"),
    ({"package": "Shop"}, "try 'shop': 'Shop' is not a package name (lower-case letters, …)"),
    ({"package": "my-shop"}, "try 'shop': 'my-shop' is not a package name (…, digits, inner underscores; …)"),
    ({"package": "2shop"}, "try 'shop': '2shop' is not a package name (…; first a letter)"),
    ({"package": "shop_"}, "try 'shop': 'shop_' is not a package name (…, inner underscores; …)"),
    ({"package": "shop\n"}, r"try 'shop': 'shop\n' is not a package name (…)"),
    ({"package": "class"}, "try 'class_app': 'class' is a Python keyword"),
    ({"package": "on"}, "try 'on_app': 'on' is a value in YAML, not text"),
    ({"package": "test"}, "try 'test_app': 'test' is a module of Python's standard library"),
    ({"package": "json"}, "try 'json_app': 'json' is a module of Python's standard library"),
    ({"package": "django"}, "try 'django_app': 'django' is the import name of a dependency"),
    ({"package": "core"}, "try 'core_app': every generated project uses the name 'core'"),
    ({"package": "x" * 41}, f"use at most 40 characters: '{'x' * 41}' is too long"),
    ({"modules": "items"}, "use a list, such as [items, orders]"),
    ({"modules": None}, "use a list, such as [items, orders]"),
    ({"modules": {"items": "orders"}}, "use a list, such as [items, orders]"),
    ({"modules": ["items", ["orders"]]}, "try 'orders': '['orders']' is not a module name (…)"),
    ({"modules": ["Orders"]}, "try 'orders': 'Orders' is not a module name (lower-case letters, …)"),
    ({"modules": ["2nd"]}, "try 'orders': '2nd' is not a module name (…; first a letter)"),
    ({"modules": [7]}, "try 'orders': '7' is not a module name (…)"),
    ({"modules": ["class"]}, "try 'class_items': 'class' is a Python keyword"),
    ({"modules": ["null"]}, "try 'null_items': 'null' is a value in YAML, not text"),
    ({"modules": ["core"]}, "try 'core_items': 'core' is the name of a shared package"),
    ({"modules": ["items", "settings"]}, "try 'settings_items': 'settings' is the name of a shared package"),
    ({"modules": ["sessions"], "framework": "django"}, "try …: 'sessions' is the name of a shared package"),
    ({"modules": ["items", "orders", "items"]}, "name each module once: 'items' is there twice"),
    ({"modules": ["x" * 31]}, f"use at most 30 characters: '{'x' * 31}' is too long"),
    ({"modules": ["axes"], "framework": "django"}, "try 'axes_items': 'axes' is the name of a shared package"),
    (
        {"modules": ["accounts", "reporting"], "framework": "django"},
        "add billing to the modules: reporting needs it",
    ),
    (
        {"modules": ["billing"], "framework": "django"},
        "add accounts to the modules: billing needs it",
    ),
    (
        {"modules": ["billing", "items"], "framework": "fastapi"},
        "add accounts to the modules: billing needs it",
    ),
    (
        {"modules": ["accounts", "webhooks"], "framework": "flask"},
        "add billing to the modules: webhooks needs it",
    ),
    (
        {"modules": ["billing"], "framework": "flask"},
        "add accounts to the modules: billing needs it",
    ),
    (
        {"modules": ["accounts", "events"], "framework": "fastapi"},
        "add billing to the modules: events needs it",
    ),
    (
        {"modules": ["predictions", "items"], "framework": "flask", "purpose": "wrapper"},
        "add accounts to the modules: predictions needs it",
    ),
    ({"purpose": "chatbot", "framework": "flask"}, "'chatbot' is not in ['webhook', 'wrapper', 'tool']"),
    ({"realtime": "often", "framework": "fastapi"}, "use true or false: realtime is 'often'"),
    ({"start": "small", "framework": "django"}, "'small' is not in ['example', 'accounts', 'empty']"),
    (
        {"realtime": True, "framework": "fastapi", "start": "accounts"},
        "add accounts and billing to the modules, or use realtime=false: events needs them",
    ),
    (
        {"modules": ["reporting"], "framework": "django"},
        "add accounts and billing to the modules: reporting needs them",
    ),
    ({"api": "graphql", "framework": "django"}, "'graphql' is not in ['drf', 'ninja', 'none']"),
    ({"pages": "some", "framework": "django"}, "use true or false: pages is 'some'"),
    ({"pages": "some", "framework": "fastapi"}, "use true or false: pages is 'some'"),
    ({"pages": "some", "framework": "flask"}, "use true or false: pages is 'some'"),
    ({"admin_ui": "some", "framework": "fastapi"}, "use true or false: admin_ui is 'some'"),
    (
        {"admin_ui": True, "framework": "fastapi", "start": "empty"},
        "add accounts to the modules, or use admin_ui=false: the admin needs users",
    ),
    (
        {"admin_ui": True, "framework": "fastapi", "modules": ["items"]},
        "add accounts to the modules, or use admin_ui=false: the admin needs users",
    ),
    ({"admin_ui": "some", "framework": "flask"}, "use true or false: admin_ui is 'some'"),
    (
        {"admin_ui": True, "framework": "flask", "modules": ["items"]},
        "add accounts to the modules, or use admin_ui=false: the admin needs users",
    ),
    ({"framework": "rails"}, "'rails' is not in ['django', 'fastapi', 'flask']"),
    ({"shape": "monolith"}, "'monolith' is not in ['api', 'product', 'integration']"),
    ({"license": "GPL"}, "'GPL' is not in ['none', 'MIT', 'Apache-2.0', 'BSD-3-Clause']"),
    ({"python_version": "3.10"}, "'3.10' is not in ['3.11', '3.12', '3.13', '3.14']"),
    (
        {"django_version": "latest", "framework": "django", "python_version": "3.11"},
        "use python_version 3.12 or newer, or lts",
    ),
    ({"docs": "flase"}, "use true or false: docs is 'flase'"),
    ({"admin_needed": "soon"}, "use true or false: admin_needed is 'soon'"),
    ({"description": 'A "shop"'}, "use one sentence … without double quotes, …"),
    ({"description": ""}, "use one sentence …"),
    ({"description": "A\tshop."}, "use one sentence … and control characters"),
    ({"description": "A\x85shop."}, "use one sentence … and control characters"),
    ({"user_name": "\x1b[31mAda"}, "remove … control characters"),
    ({"user_name": "Ada\u2028Lovelace"}, "remove … control characters"),
    ({"user_email": "ada\x07@example.com"}, "remove control characters"),
    ({"user_email": "ada@example.com\n"}, "remove control characters"),
    ({"github_user": "ada\x00"}, "remove control characters"),
    ({"user_name": "Ada\nLovelace"}, "remove … line breaks …"),
    ({"user_email": "ada"}, "use an address such as ada@example.com, or leave it empty"),
    ({"github_user": "ada/shop"}, "use letters, digits and hyphens, or leave it empty"),
]


def pattern(sentence: str) -> str:
    return "[^\n]*".join(map(re.escape, sentence.split("…")))


def copier_says(*arguments: str, cwd: Path) -> tuple[int, str]:
    """Run Copier without a terminal. Return the exit code and the last line of its errors."""
    command = [sys.executable, "-m", "copier", *arguments]
    result = subprocess.run(
        command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", check=False
    )
    return result.returncode, (result.stderr.strip().splitlines() or [""])[-1]


@pytest.mark.parametrize(("given", "sentence"), BAD, ids=[str(given)[1:-1] for given, _ in BAD])
def test_bad_value_is_rejected(given: dict[str, Any], sentence: str, probe: Path, tmp_path: Path) -> None:
    key = next(iter(given))
    complaint = f"(Validation error for question|Invalid choice for) '{key}': {pattern(sentence)}"
    with pytest.raises(ValueError, match=rf"\A{complaint}\Z"):
        render_into(tmp_path / "project", probe, **given)
    assert not (tmp_path / "project").exists()


@pytest.mark.parametrize(
    "given",
    [
        {"project_name": "Test", "package": "test_shop"},
        {"project_name": "Ötzi's Läden", "package": "x" * 40},
        {"modules": []},
        {"modules": ["shop", "o2", "x" * 30]},
        {"modules": ["sessions"], "framework": "flask"},
        {"modules": ["accounts", "items"], "framework": "django"},
        {"modules": ["reporting", "accounts"], "framework": "fastapi"},
        {"modules": ["accounts", "billing", "events"], "framework": "fastapi", "realtime": False},
        {"modules": ["predictions", "webhooks"], "framework": "fastapi"},
        {"modules": ["reporting", "billing", "accounts"], "framework": "flask"},
        {"modules": ["events"], "framework": "flask", "start": "empty"},
        {"modules": ["accounts", "predictions", "items"], "framework": "flask", "purpose": "wrapper"},
        {"modules": ["accounts", "predictions"], "framework": "flask", "purpose": "webhook"},
        {"modules": ["webhooks", "billing", "accounts"], "framework": "flask", "purpose": "tool"},
        {"django_version": "latest", "framework": "django", "python_version": "3.12"},
    ],
    ids=str,
)
def test_value_at_the_limit_is_accepted(given: dict[str, Any], probe: Path, tmp_path: Path) -> None:
    recorded = answers_of(render_into(tmp_path / "project", probe, **given))
    assert {key: recorded[key] for key in given} == given


def test_standard_library_and_keywords_are_not_accepted() -> None:
    rules = naming_rules()
    library = {name for name in sys.stdlib_module_names if not name.startswith("_")}
    accepted = {name for name in library | set(keyword.kwlist) if not rules.package_problem(name).strip()}
    accepted |= {name for name in keyword.kwlist if not rules.modules_problem([name], "flask", [], []).strip()}
    assert accepted == set()


@pytest.mark.parametrize(("framework", "key", "value", "other"), [
    ("fastapi", "framework", "fastapi", "flask"),
    ("fastapi", "package", "shop", "store"),
    ("django", "api", "drf", "none"),
])  # fmt: skip
def test_update_rejects_a_changed_fixed_answer(  # noqa: PLR0913, PLR0917
    framework: str, key: str, value: str, other: str, probe: Path, tmp_path: Path
) -> None:
    template = tmp_path / "template"
    shutil.copytree(probe, template)
    release(template, "0.1.0")
    project = render_into(tmp_path / "project", template, framework=framework)
    release(project, "first")
    kept = f"keep {key}={value}, or start a new project: {key} cannot change on update"
    with pytest.raises(ValueError, match=pattern(kept)):
        copier.run_update(project, data={key: other}, defaults=True, overwrite=True, unsafe=True, quiet=True)
    assert git(project, "status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("framework", "old", "expected"),
    [
        ("django", {"example": False, "modules": ["accounts", "billing"]}, ("accounts", ["billing"])),
        ("django", {"modules": ["accounts", "reporting"]}, ("accounts", ["reporting"])),
        ("fastapi", {"modules": ["accounts", "items"]}, ("empty", ["accounts"])),
        ("fastapi", {"example": True, "realtime": True, "modules": ["accounts", "billing", "events"]}, ("example", [])),
        ("fastapi", {"example": True, "realtime": False, "modules": ["accounts", "events"]}, ("example", ["events"])),
        ("flask", {"example": False, "modules": ["webhooks"]}, ("empty", ["webhooks"])),
    ],
)
def test_module_that_a_project_wrote_itself_stays_its_own(
    framework: str, old: dict[str, Any], expected: tuple[str, list[str]], probe: Path, tmp_path: Path
) -> None:
    """Before `start`, a release had `example`, or no code for modules at all."""
    template = tmp_path / "template"
    shutil.copytree(probe, template)
    questions = template / "questions/4-modules.yml"
    text = questions.read_text()
    questions.write_text(text.replace("{{ (modules_problem", "{{ '' and (modules_problem"))
    release(template, "0.1.0")
    project = render_into(tmp_path / "project", template, framework=framework)
    questions.write_text(text)
    release(template, "0.2.0")
    new = ("start", "own_modules", "realtime")
    recorded = {key: each for key, each in answers_of(project).items() if key not in new}
    (project / ".copier-answers.yml").write_text(yaml.safe_dump({**recorded, **old}))
    release(project, "first")
    copier.run_update(project, defaults=True, overwrite=True, unsafe=True, quiet=True)
    answers = answers_of(project)
    assert (answers["start"], answers["own_modules"]) == expected
    assert answers["modules"] == old["modules"]


def test_tool_has_pages_and_an_older_tool_keeps_its_answer(probe: Path, tmp_path: Path) -> None:
    template = tmp_path / "template"
    shutil.copytree(probe, template)
    release(template, "0.1.0")
    for purpose in ("webhook", "wrapper", "tool"):
        project = render_into(tmp_path / purpose, template, framework="flask", purpose=purpose)
        assert answers_of(project)["pages"] == (purpose == "tool")
    recorded = project / ".copier-answers.yml"
    for version, before, after in (("first", "pages: true\n", "pages: false\n"), ("second", "pages: false\n", "")):
        recorded.write_text(recorded.read_text().replace(before, after))
        release(project, version)
        copier.run_update(project, defaults=True, overwrite=True, unsafe=True, quiet=True)
        assert answers_of(project)["pages"] is False


def test_command_ends_with_the_message(probe: Path, tmp_path: Path) -> None:
    code, last = copier_says(
        "copy",
        "--skip-tasks",
        "--defaults",
        "-d",
        "project_name=Shop",
        "-d",
        "modules=[class]",
        str(probe),
        "shop",
        cwd=tmp_path,
    )
    assert code != 0
    assert last.endswith("try 'class_items': 'class' is a Python keyword")
    assert list(tmp_path.iterdir()) == []


def test_command_rejects_a_folder_that_is_not_empty(probe: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    command = ("copy", "--skip-tasks", "--defaults", "-d", "project_name=Shop", str(probe), ".")
    code, last = copier_says(*command, cwd=tmp_path)
    assert code != 0
    assert last.endswith("use an empty folder, or add --overwrite: '.' contains notes.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("files", "named"),
    [
        (["README.md"], "README.md"),
        (["a", "b"], "a, b"),
        (["a", "b", "c", "d", "e"], "a, b, c and 2 more"),
        ([".env"], ".env"),
        (["src/shop/deep/thing.py"], "src/shop/deep/thing.py"),
        ([".github/workflows/ci.yml"], ".github/workflows/ci.yml"),
        ([".git/HEAD", ".gitignore"], ".gitignore"),
    ],
    ids=str,
)
def test_destination_with_files_is_rejected_before_writing(
    files: list[str], named: str, probe: Path, tmp_path: Path
) -> None:
    project = tmp_path / "a [glob]"
    for name in files:
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("mine")
    with pytest.raises(
        ValueError, match=re.escape(f"use an empty folder, or add --overwrite: '{project}' contains {named}") + "$"
    ):
        render_into(project, probe)
    assert {path for path in project.rglob("*") if path.is_file()} == {project / name for name in files}


@pytest.mark.parametrize("there", [[], ["docs/"], [".git/HEAD", ".git/refs/heads/main"], [".git"]], ids=str)
def test_destination_without_own_files_is_accepted(there: list[str], probe: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    for name in there:
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).mkdir() if name.endswith("/") else (project / name).write_text("")
    assert answers_of(render_into(project, probe))["package"] == "shop"


def test_overwrite_keeps_other_files(probe: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "computed.json").write_text("stale")
    render_into(tmp_path, probe, overwrite=True)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert (tmp_path / "computed.json").read_text() != "stale"


def test_generated_project_can_be_recopied(probe: Path, tmp_path: Path) -> None:
    project = render_into(tmp_path / "project", probe)
    (project / "computed.json").unlink()
    copier.run_recopy(project, defaults=True, skip_tasks=True, quiet=True)
    assert (project / "computed.json").exists()


def test_copier_that_is_too_old_is_rejected(probe: Path, tmp_path: Path) -> None:
    template = tmp_path / "template"
    shutil.copytree(probe, template)
    text = (template / "copier.yml").read_text()
    (template / "copier.yml").write_text(re.sub(r'(?<=_min_copier_version: ")[\d.]+', "99.1", text))
    with pytest.raises(UnsupportedVersionError, match=r"requires Copier version >= 99\.1, while your version .* is \d"):
        render_into(tmp_path / "project", template)
    assert not (tmp_path / "project").exists()


def test_minimum_copier_version_is_the_same_everywhere() -> None:
    settings = next(yaml.compose_all((ROOT / "copier.yml").read_text()))
    minimum = {key.value: value for key, value in settings.value}["_min_copier_version"].value
    assert f'"copier~={minimum}"' in (ROOT / "pyproject.toml").read_text()
    assert f'"copier~={minimum}"' in (ROOT / "hooks/update.py").read_text()
