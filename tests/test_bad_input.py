"""A bad value, destination or Copier ends with one sentence that names what is wrong, and nothing is written."""

import keyword
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import copier
import pytest
import yaml
from copier.errors import UnsupportedVersionError
from support import ROOT, answers_of, compiled_once, git, naming_rules, release, render_into

# What is given, and the sentence that it gets; `…` stands for anything on the line.
BAD: list[tuple[dict[str, Any], str]] = [
    ({"project_name": ""}, "project_name '' has no letter a-z or digit …; use a name such as 'Shop'"),
    ({"project_name": "Ä & Ö!"}, "project_name 'Ä & Ö!' has no letter a-z or digit …; use a name such as 'Shop'"),
    ({"project_name": 'The "Shop"'}, "project_name may have at most 80 characters and no quote, …"),
    ({"project_name": "Shop {{ package }}"}, "project_name may have … no … brace; use a name such as 'Shop'"),
    ({"project_name": "Shop\nShop"}, "project_name may have no line break …; use a name such as 'Shop'"),
    ({"project_name": "Shop\x07"}, "project_name may have no … control character; use a name such as 'Shop'"),
    ({"project_name": "\x1b[31mShop"}, "project_name may have no … control character; use a name such as 'Shop'"),
    ({"project_name": "Shop\x7f"}, "project_name may have no … control character; use a name such as 'Shop'"),
    ({"project_name": "x" * 81}, "project_name may have at most 80 characters …; use a name such as 'Shop'"),
    ({"project_name": "x" * 41}, f"project_name …: '{'x' * 41}' is longer than 40 characters; choose a shorter …"),
    ({"project_name": "Class"}, "project_name 'Class': 'class' is a Python keyword; …, such as 'class_app'"),
    ({"project_name": "Test"}, "project_name 'Test': 'test' is a module of …; …, such as 'test_app'"),
    ({"project_name": "Django"}, "project_name 'Django': 'django' is the import name of a dependency; …"),
    ({"project_name": "3 Shops"}, "project_name '3 Shops': '3_shops' is not a package name; …begin with a letter, …"),
    ({"package": ""}, "'' is not a package name; use lower-case letters and digits, …, such as 'shop'"),
    ({"package": "Shop"}, "'Shop' is not a package name; use lower-case letters and digits, …, such as 'shop'"),
    ({"package": "my-shop"}, "'my-shop' is not a package name; use lower-case letters and digits, …"),
    ({"package": "2shop"}, "'2shop' is not a package name; … begin with a letter, such as 'shop'"),
    ({"package": "shop_"}, "'shop_' is not a package name; … with underscores between them, …"),
    ({"package": "shop\n"}, r"'shop\n' is not a package name; …"),
    ({"package": "class"}, "'class' is a Python keyword; choose another package name, such as 'class_app'"),
    ({"package": "on"}, "'on' is no text to YAML but a value; choose another package name, such as 'on_app'"),
    ({"package": "test"}, "'test' is a module of Python's standard library; choose another …, such as 'test_app'"),
    ({"package": "json"}, "'json' is a module of Python's standard library; choose another …, such as 'json_app'"),
    ({"package": "django"}, "'django' is the import name of a dependency; choose another …, such as 'django_app'"),
    ({"package": "core"}, "'core' is a name that every generated project uses itself; …, such as 'core_app'"),
    ({"package": "x" * 41}, f"'{'x' * 41}' is longer than 40 characters; choose a shorter package name"),
    ({"modules": "items"}, "modules must be a list, such as [items, orders]"),
    ({"modules": None}, "modules must be a list, such as [items, orders]"),
    ({"modules": {"items": "orders"}}, "modules must be a list, such as [items, orders]"),
    ({"modules": ["items", ["orders"]]}, "'['orders']' is not a module name; use lower-case …, such as 'orders'"),
    ({"modules": ["Orders"]}, "'Orders' is not a module name; use lower-case letters, …, such as 'orders'"),
    ({"modules": ["2nd"]}, "'2nd' is not a module name; … begin with a letter, such as 'orders'"),
    ({"modules": [7]}, "'7' is not a module name; …, such as 'orders'"),
    ({"modules": ["class"]}, "'class' is a Python keyword; choose another module name, such as 'class_items'"),
    ({"modules": ["null"]}, "'null' is no text to YAML but a value; choose another …, such as 'null_items'"),
    ({"modules": ["core"]}, "'core' is the name of a shared package; choose another …, such as 'core_items'"),
    ({"modules": ["items", "settings"]}, "'settings' is the name of a shared package; …"),
    ({"modules": ["sessions"], "framework": "django"}, "'sessions' is the name of a shared package; …"),
    ({"modules": ["items", "orders", "items"]}, "'items' is named twice; name each module once"),
    ({"modules": ["x" * 31]}, f"'{'x' * 31}' is longer than 30 characters; choose a shorter module name"),
    ({"modules": ["axes"], "framework": "django"}, "'axes' is the name of a shared package; …"),
    (
        {"modules": ["accounts", "reporting"], "framework": "django"},
        "reporting needs billing, which needs accounts; name [accounts, billing, reporting], or answer no to example",
    ),
    (
        {"modules": ["billing"], "framework": "django"},
        "reporting needs billing, which needs accounts; name [accounts, billing], or answer no to example",
    ),
    (
        {"modules": ["billing", "items"], "framework": "fastapi"},
        "billing needs accounts; name [accounts, billing], or answer no to example",
    ),
    (
        {"modules": ["accounts", "webhooks"], "framework": "flask"},
        "webhooks needs billing, which needs accounts; name [accounts, billing, webhooks], or answer no to example",
    ),
    (
        {"modules": ["billing"], "framework": "flask"},
        "webhooks needs billing, which needs accounts; name [accounts, billing], or answer no to example",
    ),
    (
        {"modules": ["accounts", "events"], "framework": "fastapi"},
        "events needs billing, which needs accounts; name [accounts, billing, events], or answer no to realtime",
    ),
    (
        {"modules": ["predictions", "items"], "framework": "flask", "purpose": "wrapper"},
        "predictions needs accounts; name [accounts, predictions], or answer no to example",
    ),
    ({"purpose": "chatbot", "framework": "flask"}, "'chatbot' is not in ['webhook', 'wrapper', 'tool']"),
    ({"realtime": "often", "framework": "fastapi"}, "realtime is 'often', which is neither yes nor no; …"),
    ({"example": "maybe", "framework": "django"}, "example is 'maybe', which is neither yes nor no; …"),
    ({"api": "graphql", "framework": "django"}, "'graphql' is not in ['drf', 'ninja', 'none']"),
    ({"pages": "some", "framework": "django"}, "pages is 'some', which is neither yes nor no; …"),
    ({"pages": "some", "framework": "fastapi"}, "pages is 'some', which is neither yes nor no; …"),
    ({"pages": "some", "framework": "flask"}, "pages is 'some', which is neither yes nor no; …"),
    ({"admin_ui": "some", "framework": "fastapi"}, "admin_ui is 'some', which is neither yes nor no; …"),
    (
        {"admin_ui": True, "framework": "fastapi", "example": False},
        "admin_ui needs the example's accounts, …; answer yes to example and name accounts, or no to admin_ui",
    ),
    (
        {"admin_ui": True, "framework": "fastapi", "modules": ["items"]},
        "admin_ui needs the example's accounts, …; answer yes to example and name accounts, or no to admin_ui",
    ),
    ({"admin_ui": "some", "framework": "flask"}, "admin_ui is 'some', which is neither yes nor no; …"),
    (
        {"admin_ui": True, "framework": "flask", "modules": ["items"]},
        "admin_ui needs the example's accounts, …; answer yes to example and name accounts, or no to admin_ui",
    ),
    ({"framework": "rails"}, "'rails' is not in ['django', 'fastapi', 'flask']"),
    ({"shape": "monolith"}, "'monolith' is not in ['api', 'product', 'integration']"),
    ({"license": "GPL"}, "'GPL' is not in ['none', 'MIT', 'Apache-2.0', 'BSD-3-Clause']"),
    ({"python_version": "3.10"}, "'3.10' is not in ['3.11', '3.12', '3.13', '3.14']"),
    (
        {"django_version": "latest", "framework": "django", "python_version": "3.11"},
        "Django 6.1 needs Python 3.12 or newer, so choose python_version 3.12 or django_version lts",
    ),
    ({"docs": "flase"}, "docs is 'flase', which is neither yes nor no; use true or false"),
    ({"admin_needed": "soon"}, "admin_needed is 'soon', which is neither yes nor no; use true or false"),
    ({"description": 'A "shop"'}, "description must be one sentence … without double quotes, …"),
    ({"description": ""}, "description must be one sentence …"),
    ({"description": "A\tshop."}, "description must be one sentence … without … control characters"),
    ({"description": "A\x85shop."}, "description must be one sentence … without … control characters"),
    ({"user_name": "\x1b[31mAda"}, "user_name may not contain … control characters"),
    ({"user_name": "Ada\u2028Lovelace"}, "user_name may not contain … control characters"),
    ({"user_email": "ada\x07@example.com"}, "user_email may not contain control characters"),
    ({"user_email": "ada@example.com\n"}, "user_email may not contain control characters"),
    ({"github_user": "ada\x00"}, "github_user may not contain control characters"),
    ({"user_name": "Ada\nLovelace"}, "user_name may not contain … line breaks …"),
    ({"user_email": "ada"}, "user_email 'ada' is not an e-mail address; use one such as ada@example.com, or …"),
    ({"github_user": "ada/shop"}, "github_user 'ada/shop' is not a GitHub name; use letters, digits and hyphens, …"),
]


@pytest.fixture(autouse=True, scope="module")
def fast() -> Iterator[None]:
    with compiled_once():
        yield


def pattern(sentence: str) -> str:
    return "[^\n]*".join(map(re.escape, sentence.split("…")))


def copier_says(*arguments: str, cwd: Path) -> tuple[int, str]:
    """The exit code of the real command without a terminal, and the last line of what it complained."""
    command = [sys.executable, "-m", "copier", *arguments]
    result = subprocess.run(
        command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", check=False
    )
    return result.returncode, (result.stderr.strip().splitlines() or [""])[-1]


@pytest.mark.parametrize(("given", "sentence"), BAD, ids=[str(given)[1:-1] for given, _ in BAD])
def test_a_bad_value_is_refused_with_a_sentence(
    given: dict[str, Any], sentence: str, probe: Path, tmp_path: Path
) -> None:
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
        {"modules": ["reporting", "billing"], "framework": "django", "example": False},
        {"modules": ["reporting", "accounts"], "framework": "fastapi"},
        {"modules": ["billing"], "framework": "fastapi", "example": False},
        {"modules": ["events"], "framework": "fastapi", "example": False},
        {"modules": ["events"], "framework": "fastapi", "realtime": False},
        {"modules": ["reporting", "billing", "accounts"], "framework": "flask"},
        {"modules": ["webhooks"], "framework": "flask", "example": False},
        {"modules": ["predictions"], "framework": "flask", "example": False},
        {"modules": ["accounts", "predictions", "items"], "framework": "flask", "purpose": "wrapper"},
        {"modules": ["accounts", "predictions"], "framework": "flask", "purpose": "webhook"},
        {"modules": ["webhooks", "billing", "accounts"], "framework": "flask", "purpose": "tool"},
        {"django_version": "latest", "framework": "django", "python_version": "3.12"},
    ],
    ids=str,
)
def test_a_value_just_inside_the_bounds_is_accepted(given: dict[str, Any], probe: Path, tmp_path: Path) -> None:
    recorded = answers_of(render_into(tmp_path / "project", probe, **given))
    assert {key: recorded[key] for key in given} == given


def test_no_package_shadows_the_standard_library_and_no_name_is_a_keyword() -> None:
    rules = naming_rules()
    library = {name for name in sys.stdlib_module_names if not name.startswith("_")}
    accepted = {name for name in library | set(keyword.kwlist) if not rules.package_problem(name).strip()}
    accepted |= {name for name in keyword.kwlist if not rules.modules_problem([name], "flask").strip()}
    assert accepted == set()


def test_an_update_refuses_what_would_replace_the_whole_project(probe: Path, tmp_path: Path) -> None:
    template = tmp_path / "template"
    shutil.copytree(probe, template)
    release(template, "0.1.0")
    project = render_into(tmp_path / "project", template, framework="fastapi")
    release(project, "first")
    for given, sentence in (
        (
            {"framework": "flask"},
            "framework is 'fastapi' and cannot change on update, …; keep it, or start a new project …",
        ),
        ({"package": "store"}, "package is 'shop' and cannot change on update, …; keep it, or start a new project"),
    ):
        with pytest.raises(ValueError, match=pattern(sentence)):
            copier.run_update(project, data=given, defaults=True, overwrite=True, unsafe=True, quiet=True)
    assert git(project, "status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("framework", "given", "other"),
    [
        ("django", {"example": True}, {"example": False}),
        ("django", {"example": False}, {"example": True}),
        ("django", {"pages": False}, {"pages": True}),
        ("django", {"api": "drf"}, {"api": "none"}),
        ("fastapi", {"example": True}, {"example": False}),
        ("fastapi", {"example": False}, {"example": True}),
        ("fastapi", {"realtime": True}, {"realtime": False}),
        ("fastapi", {"realtime": False}, {"realtime": True}),
        ("fastapi", {"pages": False}, {"pages": True}),
        ("fastapi", {"admin_ui": True}, {"admin_ui": False}),
        ("fastapi", {"admin_ui": False}, {"admin_ui": True}),
        ("flask", {"example": True}, {"example": False}),
        ("flask", {"pages": False}, {"pages": True}),
        ("flask", {"pages": True}, {"pages": False}),
        ("flask", {"admin_ui": True}, {"admin_ui": False}),
        ("flask", {"admin_ui": False}, {"admin_ui": True}),
        ("flask", {"purpose": "webhook"}, {"purpose": "wrapper"}),
        ("flask", {"purpose": "wrapper"}, {"purpose": "tool"}),
    ],
)
def test_an_update_refuses_another_kind_of_modules(
    framework: str, given: dict[str, Any], other: dict[str, Any], probe: Path, tmp_path: Path
) -> None:
    template = tmp_path / "template"
    shutil.copytree(probe, template)
    release(template, "0.1.0")
    project = render_into(tmp_path / "project", template, framework=framework, **given)
    release(project, "first")
    ((key, value),) = given.items()
    kept = f"{key} is '?{str(value).lower()}'? and cannot change on update"
    with pytest.raises(ValueError, match=kept):
        copier.run_update(project, data=other, defaults=True, overwrite=True, unsafe=True, quiet=True)
    assert git(project, "status", "--porcelain") == ""


def test_a_project_from_before_purposes_is_a_webhook_receiver(probe: Path, tmp_path: Path) -> None:
    template = tmp_path / "template"
    shutil.copytree(probe, template)
    release(template, "0.1.0")
    project = render_into(tmp_path / "project", template, framework="flask")
    recorded = project / ".copier-answers.yml"
    recorded.write_text(recorded.read_text().replace("purpose: webhook\n", ""))
    release(project, "first")
    with pytest.raises(ValueError, match="purpose is 'webhook' and cannot change on update, your modules are made for"):
        copier.run_update(project, data={"purpose": "tool"}, defaults=True, overwrite=True, unsafe=True, quiet=True)
    assert git(project, "status", "--porcelain") == ""
    copier.run_update(project, defaults=True, overwrite=True, unsafe=True, quiet=True)
    assert answers_of(project)["purpose"] == "webhook"


def test_a_tool_has_pages_and_one_from_before_keeps_what_it_has(probe: Path, tmp_path: Path) -> None:
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


def test_an_update_cannot_add_what_other_modules_are_made_for(probe: Path, tmp_path: Path) -> None:
    template = tmp_path / "template"
    shutil.copytree(probe, template)
    release(template, "0.1.0")
    modules = ["accounts", "billing"]
    project = render_into(tmp_path / "project", template, framework="fastapi", modules=modules)
    release(project, "first")
    added = {"modules": [*modules, "events"]}
    with pytest.raises(ValueError, match="events cannot be added on update, your other modules are made without it"):
        copier.run_update(project, data=added, defaults=True, overwrite=True, unsafe=True, quiet=True)
    assert git(project, "status", "--porcelain") == ""


def test_the_command_fails_with_the_sentence_as_its_last_line(probe: Path, tmp_path: Path) -> None:
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
    assert last.endswith("'class' is a Python keyword; choose another module name, such as 'class_items'")
    assert list(tmp_path.iterdir()) == []


def test_the_command_refuses_a_folder_that_is_not_empty(probe: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    command = ("copy", "--skip-tasks", "--defaults", "-d", "project_name=Shop", str(probe), ".")
    code, last = copier_says(*command, cwd=tmp_path)
    assert code != 0
    assert last.endswith(
        "the destination '.' is not empty, notes.txt is there; choose another folder, "
        "or add --overwrite to write into this one"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("files", "named"),
    [
        (["README.md"], "README.md is"),
        (["a", "b"], "a, b are"),
        (["a", "b", "c", "d", "e"], "a, b, c and 2 more are"),
        ([".env"], ".env is"),
        (["src/shop/deep/thing.py"], "src/shop/deep/thing.py is"),
        ([".github/workflows/ci.yml"], ".github/workflows/ci.yml is"),
        ([".git/HEAD", ".gitignore"], ".gitignore is"),
    ],
    ids=str,
)
def test_a_destination_with_files_is_refused_before_anything_is_written(
    files: list[str], named: str, probe: Path, tmp_path: Path
) -> None:
    project = tmp_path / "a [glob]"
    for name in files:
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("mine")
    with pytest.raises(ValueError, match=re.escape(f"{project}' is not empty, {named} there; ")):
        render_into(project, probe)
    assert {path for path in project.rglob("*") if path.is_file()} == {project / name for name in files}


@pytest.mark.parametrize("there", [[], ["docs/"], [".git/HEAD", ".git/refs/heads/main"], [".git"]], ids=str)
def test_a_destination_without_files_of_the_users_own_is_welcome(there: list[str], probe: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    for name in there:
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).mkdir() if name.endswith("/") else (project / name).write_text("")
    assert answers_of(render_into(project, probe))["package"] == "shop"


def test_overwrite_writes_into_a_folder_with_files_and_leaves_the_others(probe: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "computed.json").write_text("stale")
    render_into(tmp_path, probe, overwrite=True)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert (tmp_path / "computed.json").read_text() != "stale"


def test_a_project_of_ours_can_be_copied_anew(probe: Path, tmp_path: Path) -> None:
    project = render_into(tmp_path / "project", probe)
    (project / "computed.json").unlink()
    copier.run_recopy(project, defaults=True, skip_tasks=True, quiet=True)
    assert (project / "computed.json").exists()


def test_a_copier_that_is_too_old_is_told_which_one_it_takes(probe: Path, tmp_path: Path) -> None:
    template = tmp_path / "template"
    shutil.copytree(probe, template)
    text = (template / "copier.yml").read_text()
    (template / "copier.yml").write_text(re.sub(r'(?<=_min_copier_version: ")[\d.]+', "99.1", text))
    with pytest.raises(UnsupportedVersionError, match=r"requires Copier version >= 99\.1, while your version .* is \d"):
        render_into(tmp_path / "project", template)
    assert not (tmp_path / "project").exists()


def test_one_minimum_of_copier_is_named_everywhere() -> None:
    settings = next(yaml.compose_all((ROOT / "copier.yml").read_text()))
    minimum = {key.value: value for key, value in settings.value}["_min_copier_version"].value
    assert f'"copier~={minimum}"' in (ROOT / "pyproject.toml").read_text()
    assert f'"copier~={minimum}"' in (ROOT / "templates/tools/template.py").read_text()
