"""Updates: changes of the template arrive, edits of the project stay, and modules are never touched."""

import posixpath
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import copier
import merge
import pytest
import update as engine
from servers import clean_environment
from support import (
    FRAMEWORKS,
    ROOT,
    answers_of,
    git,
    release,
    rendered_files,
    require,
    template_files,
)
from tag_releases import releases, tag_releases
from update import Report
from where import Template

MODULES = ["items", "orders", "parts"]


@pytest.fixture
def releasing(released_template: Path, tmp_path: Path) -> Path:
    """A template with release 0.1.0. Tests add others."""
    return Path(shutil.copytree(released_template, tmp_path / "template"))


def start(template: Path, target: Path, version: str = "0.1.0", **answers: Any) -> Path:
    """Render a project from a release and commit it."""
    data = {"project_name": "Shop", "modules": ["items"], **answers}
    copier.run_copy(str(template), target, data=data, vcs_ref=version, defaults=True, skip_tasks=True, quiet=True)
    git(target, "init", "--quiet")
    commit(target)
    return target


def fresh(template: Path, project: Path) -> dict[str, bytes]:
    """Return the files of a new project with the same answers."""
    target = project.parent / "fresh"
    answers = answers_of(project)
    copier.run_copy(str(template), target, data=answers, defaults=True, skip_tasks=True, quiet=True)
    return rendered_files(target)


def update(project: Path, **answers: Any) -> Report:
    """Update to the newest release with the merge engine."""
    source = Path(answers_of(project)["_src_path"])
    newest = git(source, "tag", "--sort=-version:refname").split()[0]
    return engine.update(merge.Template(source, str(source)), project, engine.Request(newest, answers))


def plain_update(project: Path, **answers: Any) -> None:
    """Run `copier update`, as Renovate and projects of 0.1.0 do."""
    copier.run_update(project, data=answers, defaults=True, overwrite=True, unsafe=True, quiet=True)


def commit(project: Path) -> None:
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "Work")


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, f"no {old!r} in {path}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def mark(path: Path, line: str = "# Ours.\n") -> None:
    """Edit the top of a file."""
    path.write_bytes(line.encode() + path.read_bytes())


def change_every_file(template: Path, version: str) -> None:
    """Release a version that adds a line to every file, including modules and migrations."""
    for path in (template / "templates").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes().rstrip(b"\n") + f"\n# {version}\n".encode())
    release(template, version)


def is_owned(path: str, modules: list[str]) -> bool:
    """Return whether the user owns a file: a module, its tests, or a migration."""
    folders = tuple(f"{root}/{module}/" for root in ("src/shop", "tests") for module in [*modules, "accounts"])
    return path.startswith((*folders, "migrations/versions/"))


def split(files: dict[str, bytes], modules: list[str]) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Return the shared files and the user's files."""
    owned = {path: content for path, content in files.items() if is_owned(path, modules)}
    return {path: content for path, content in files.items() if path not in owned}, owned


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_updated_project_equals_a_new_one(framework: str, releasing: Path, tmp_path: Path) -> None:
    project = start(releasing, tmp_path / "shop", framework=framework)
    _, modules_before = split(rendered_files(project), ["items"])
    (releasing / "templates" / "docs" / "added.md").write_text("New in 0.2.0\n")
    (releasing / "templates" / "AGENTS.md.jinja").unlink()
    change_every_file(releasing, "0.2.0")
    update(project)
    shared, modules = split(rendered_files(project), ["items"])
    assert shared == split(fresh(releasing, project), ["items"])[0]
    assert modules == modules_before
    assert answers_of(project)["_commit"] == "0.2.0"


def test_edits_of_shared_files_are_kept(releasing: Path, tmp_path: Path) -> None:
    project = start(releasing, tmp_path / "shop", framework="fastapi")
    edits = {
        "README.md": ("## Layout", "Ask Ada.\n\n## Layout"),
        "pyproject.toml": ("dependencies = [", 'dependencies = [\n  "httpx",'),
        "src/shop/modules.py": ("MODULES", "# Ours.\nMODULES"),
    }
    for path, (old, new) in edits.items():
        edit(project / path, old, new)
    (project / "justfile").unlink()
    commit(project)
    change_every_file(releasing, "0.2.0")
    expected = split(fresh(releasing, project), ["items"])[0]
    for path, (old, new) in edits.items():
        expected[path] = expected[path].replace(old.encode(), new.encode(), 1)
    del expected["justfile"]
    update(project)
    assert split(rendered_files(project), ["items"])[0] == expected


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_update_does_not_touch_modules(framework: str, releasing: Path, tmp_path: Path) -> None:
    project = start(releasing, tmp_path / "[draft] shop*", framework=framework, modules=MODULES)
    code = project / "src" / "shop"
    mark(code / "items" / "models.py")
    mark(next((project / "tests" / "items").iterdir()))
    (code / "items" / "prices.py").write_text("VAT = 19\n")
    (code / "orders" / "public.py").unlink()
    shutil.rmtree(code / "parts")
    for migration in project.glob("**/migrations/**/0001*.py"):
        mark(migration)
    if framework == "django":
        mark(code / "accounts" / "models.py")
        (code / "accounts" / "admin.py").unlink()
    commit(project)
    _, before = split(rendered_files(project), MODULES)

    change_every_file(releasing, "0.2.0")
    update(project, modules=["items", "parts", "invoices"])

    shared, owned = split(rendered_files(project), [*MODULES, "invoices"])
    rendered = fresh(releasing, project)
    assert shared == split(rendered, [*MODULES, "invoices"])[0]
    invoices = {path: content for path, content in rendered.items() if "/invoices/" in path}
    assert invoices
    assert owned == before | invoices
    assert not (code / "parts").exists()


def test_removed_module_loses_its_wiring_and_keeps_its_code(releasing: Path, tmp_path: Path) -> None:
    project = start(releasing, tmp_path / "shop", framework="flask", modules=["items", "orders"])
    mark(project / "src" / "shop" / "orders" / "models.py")
    commit(project)
    before = rendered_files(project)
    update(project, modules=["items"])
    assert b"orders" not in (project / "src" / "shop" / "modules.py").read_bytes()
    commit(project)
    update(project, modules=["items", "orders"])
    assert rendered_files(project) == before


def test_changed_default_does_not_change_a_project(releasing: Path, tmp_path: Path) -> None:
    project = start(releasing, tmp_path / "shop", framework="flask")
    before = rendered_files(project), {**answers_of(project), "_commit": "0.2.0"}
    for file, old, new in (
        ("7-delivery", "default: github", "default: gitlab"),
        ("7-delivery", "default: true", "default: false"),
        ("5-stack", 'default: "3.11"', 'default: "3.13"'),
        ("4-modules", "['accounts', 'billing', 'webhooks']", "['things']"),
    ):
        edit(releasing / "questions" / f"{file}.yml", old, new)
    release(releasing, "0.2.0")
    update(project)
    assert (rendered_files(project), answers_of(project)) == before
    assert (tmp_path / "shop" / ".github").exists()


def rename_in_template(template: Path, old: str, new: str) -> None:
    """Rename a file or folder in every overlay."""
    found: dict[Path, None] = {}
    for landing in Template(template).landings:
        path = landing.path.replace("<package>", "{package}")
        if path == old or path.startswith(f"{old}/"):
            file = template / landing.template
            found[[file, *file.parents][path.removeprefix(old).count("/")]] = None
    for source in found:
        suffix = ".jinja" if source.suffix == ".jinja" else ""
        source.rename(source.parent / f"{posixpath.relpath(new, posixpath.dirname(old))}{suffix}")


@pytest.mark.parametrize("plain", [False, True], ids=["update-template", "copier update"])
def test_edits_follow_and_stay_when_the_template_renames_and_removes(
    plain: bool, releasing: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    project = start(releasing, tmp_path / "shop", framework="flask")
    edit(project / "AGENTS.md", "# Working on", "# How we work on")
    mark(project / "src" / "shop" / "core" / "logs.py")
    mark(project / "tools" / "env.py")
    commit(project)

    rename_in_template(releasing, "AGENTS.md", "docs/working.md")
    rename_in_template(releasing, "src/{package}/core", "src/{package}/base")
    (releasing / "templates" / "tools" / "env.py").unlink()
    change_every_file(releasing, "0.2.0")
    expected = split(fresh(releasing, project), ["items"])[0]
    expected["docs/working.md"] = expected["docs/working.md"].replace(b"# Working on", b"# How we work on")
    expected["src/shop/base/logs.py"] = b"# Ours.\n" + expected["src/shop/base/logs.py"]
    expected["tools/env.py"] = (project / "tools" / "env.py").read_bytes()
    (plain_update if plain else update)(project)
    assert split(rendered_files(project), ["items"])[0] == expected
    if plain:
        assert "Kept in 1 file(s):\n  tools/env.py: the template removed it" in capfd.readouterr().err


@pytest.mark.parametrize("plain", [False, True], ids=["update-template", "copier update"])
def test_capability_is_switched_on_and_off_inside_modules(plain: bool, releasing: Path, tmp_path: Path) -> None:
    on: dict[str, Any] = {"pages": True, "admin_ui": True}
    off: dict[str, Any] = {"pages": False, "admin_ui": False}
    project = start(releasing, tmp_path / "shop", framework="flask", modules=["accounts", "billing"], **off)
    before = rendered_files(project)
    switch = plain_update if plain else update
    switch(project, **on)
    assert rendered_files(project) == fresh(releasing, project)
    commit(project)
    mark(project / "src" / "shop" / "billing" / "pages.py")
    commit(project)
    mine = (project / "src" / "shop" / "billing" / "pages.py").read_bytes()
    switch(project, **off)
    assert rendered_files(project) == before | {"src/shop/billing/pages.py": mine}


def test_releases_are_in_the_history() -> None:
    """A shallow clone has none, and the next test would test nothing."""
    require(releases(ROOT), "fetch the whole history and tags: this clone has no release")


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("version", releases(ROOT))
def test_every_release_can_be_updated(framework: str, version: str, tmp_path: Path) -> None:
    """Update from each release of this repository to the current work tree."""
    template = tmp_path / "template"
    git(tmp_path, "clone", "--quiet", str(ROOT), str(template))
    tag_releases(template)
    project = start(template, tmp_path / "shop", version, framework=framework)
    mark(project / "README.md", "Ours.\n\n")
    mark(project / "src" / "shop" / "items" / "models.py")
    commit(project)
    _, modules_before = split(rendered_files(project), ["items"])
    for path in ("copier.yml", "questions", "templates", "includes", "hooks"):
        git(template, "rm", "-r", "--quiet", path)
    for file in template_files():
        (template / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / file, template / file)
    (template / "CHANGELOG.md").write_text("A release is a commit, and one without changes would be none.\n")
    release(template, "1000.0.0")

    plain_update(project)

    shared, modules = split(rendered_files(project), ["items"])
    expected, _ = split(fresh(template, project), ["items"])
    expected["README.md"] = b"Ours.\n\n" + expected["README.md"]
    assert shared == expected
    assert modules == modules_before


@pytest.fixture
def uv(tmp_path: Path) -> Path:
    """A stub of uv that runs a script with this environment's Copier."""
    stub = tmp_path / "bin" / "uv"
    stub.parent.mkdir()
    stub.write_text(f'#!/bin/sh\nshift 2\nexec "{sys.executable}" "$@"\n')
    stub.chmod(0o755)
    return stub


def template_tool(project: Path, *arguments: str, uv: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run tools/template.py, as `just add-module` and `just update-template` do."""
    return subprocess.run(
        [sys.executable, "tools/template.py", "--trust", *arguments],
        cwd=project,
        env=clean_environment(**({"UV": str(uv)} if uv else {})),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_add_module_changes_only_the_module_and_its_wiring(releasing: Path, tmp_path: Path) -> None:
    require(shutil.which("uv"), "uv is not installed")
    project = start(releasing, tmp_path / "shop", framework="fastapi")
    edit(project / "README.md", "## Layout", "Ask Ada.\n\n## Layout")
    commit(project)
    change_every_file(releasing, "0.2.0")

    result = template_tool(project, "add-module", "invoices")

    # stderr may contain uv's messages about installing Copier.
    assert result.returncode == 0, result.stderr
    assert result.stdout == "module 'invoices' added, not committed\n"
    assert answers_of(project)["_commit"] == "0.1.0"
    new = git(project, "diff", "--cached", "--name-only", "--diff-filter=A").split()
    assert {str(Path(path).parent) for path in new} == {"src/shop/invoices", "tests/invoices"}
    diff = git(project, "diff", "--cached", "--unified=0", "--diff-filter=M")
    changes = [line for line in diff.splitlines() if line[:3] not in ("---", "+++")]
    added = [line for line in changes if line.startswith("+")]
    assert added
    assert all("invoices" in line for line in added)
    assert not [line for line in changes if line.startswith("-")]


@pytest.mark.parametrize(("name", "sentence"), [
    ("items", "choose another name: module 'items' already exists"),
    ("core", "try 'core_items': 'core' is the name of a shared package"),
    ("orders, Bad", "try 'orders': 'Bad' is not a module name"),
])  # fmt: skip
def test_invalid_module_name_is_rejected(name: str, sentence: str, releasing: Path, tmp_path: Path, uv: Path) -> None:
    project = start(releasing, tmp_path / "shop", framework="flask")
    result = template_tool(project, "add-module", name, uv=uv)
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert result.stderr.startswith(sentence)
    assert git(project, "status", "--porcelain") == ""


@pytest.mark.parametrize("command", [("add-module", "orders"), ("update",)], ids=lambda command: command[0])
def test_uncommitted_changes_are_rejected(
    command: tuple[str, ...], released_template: Path, tmp_path: Path, uv: Path
) -> None:
    project = start(released_template, tmp_path / "shop", framework="flask")
    (project / "notes.txt").write_text("not committed")
    result = template_tool(project, *command, uv=uv)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("commit or stash your changes first")
    shutil.rmtree(project / ".git")
    result = template_tool(project, *command)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("run `git init`, ")


def test_update_lists_conflicts_until_they_are_resolved(releasing: Path, tmp_path: Path, uv: Path) -> None:
    """The project is in a subfolder, where git's paths differ from the project's."""
    project = start(releasing, tmp_path / "company" / "shop", framework="flask")
    shutil.rmtree(project / ".git")
    git(project.parent, "init", "--quiet")
    edit(project / "docs" / "adr" / "0001-framework.md", "accepted", "contested")
    commit(project.parent)
    adr = releasing / "templates" / "docs" / "adr" / "0001-framework.md.jinja"
    edit(adr, "accepted", "decided")
    release(releasing, "0.2.0")

    first = template_tool(project, "update", uv=uv)
    again = template_tool(project, "update", uv=uv)

    for result in (first, again):
        assert result.returncode == 1
        assert result.stdout.count("docs/adr/0001-framework.md") == 1
        assert "Resolve the conflicts" in result.stdout
    assert ">>>>>>> template-0.2.0" in (project / "docs" / "adr" / "0001-framework.md").read_text()
    assert not list(project.rglob("*.rej"))
    git(project, "checkout", "--ours", "docs/adr/0001-framework.md")
    commit(project.parent)
    decided = template_tool(project, "update", uv=uv)
    assert (decided.returncode, decided.stdout.splitlines()[-1]) == (0, "Nothing to update."), decided.stderr
    assert git(project, "status", "--porcelain") == ""
