"""What several suites need: the template's files, git, and the frameworks."""

import os
import posixpath
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import copier
import jinja2
import pytest
import yaml

ROOT = Path(__file__).parent.parent
FRAMEWORKS = ("django", "fastapi", "flask")
# The domain modules of the examples, by flavour or else by framework.
EXAMPLES = {
    "django": ["accounts", "billing", "reporting"],
    "fastapi": ["accounts", "billing", "events"],
    "flask": ["accounts", "billing", "webhooks"],
    "flask-wrapper": ["accounts", "predictions"],
}
# What is booted and asked: each framework with its default answers, Django's other API, FastAPI and Flask for
# browsers and staff too, and Flask around a model.
FLAVOURS: dict[str, dict[str, str]] = {name: {"framework": name} for name in FRAMEWORKS}
FLAVOURS["ninja"] = {"framework": "django", "api": "ninja"}
FLAVOURS["fastapi-pages"] = {"framework": "fastapi", "pages": "true", "admin_ui": "true"}
FLAVOURS["flask-pages"] = {"framework": "flask", "pages": "true", "admin_ui": "true"}
FLAVOURS["flask-wrapper"] = {"framework": "flask", "purpose": "wrapper"}


class Render(Protocol):
    """Renders a project without tasks and returns its folder."""

    def __call__(self, folder: str = "project", **answers: Any) -> Path: ...


def require(present: object, reason: str) -> None:
    """Skip a test that this machine cannot run, by name; with CI=true that is a failure."""
    if not present:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)


def render_into(target: Path, template: Path, *, overwrite: bool = False, **answers: Any) -> Path:
    """Render a project without tasks, called Shop unless `answers` say otherwise; returns `target`."""
    data = {"project_name": "Shop", **answers}
    copier.run_copy(str(template), target, data=data, defaults=True, overwrite=overwrite, skip_tasks=True, quiet=True)
    return target


def git(repository: Path, *arguments: str) -> str:
    """What git prints; a failure raises CalledProcessError."""
    return subprocess.run(["git", *arguments], cwd=repository, check=True, capture_output=True, text=True).stdout


def release(repository: Path, version: str) -> None:
    """Commit everything in `repository` and tag it; a folder becomes a repository first."""
    if not (repository / ".git").exists():
        git(repository, "init", "--quiet")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", f"Release {version}")
    git(repository, "tag", version)
    # Copier clones it several times per update, and removing thousands of folders of loose objects is what takes time.
    git(repository, "repack", "-a", "-d", "-q")


def answers_of(project: Path) -> dict[str, Any]:
    """What `project` recorded."""
    answers: dict[str, Any] = yaml.safe_load((project / ".copier-answers.yml").read_text(encoding="utf-8"))
    return answers


def naming_rules() -> Any:
    """The macros of includes/names.jinja, to be called as functions."""
    filters = "jinja2_ansible_filters.AnsibleCoreFiltersExtension"
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(ROOT), extensions=[filters], trim_blocks=True)  # noqa: S701
    return environment.get_template("includes/names.jinja").module


@contextmanager
def compiled_once() -> Iterator[None]:
    """Inside, Jinja compiles a text once: Copier starts anew with each copy, and that is most of its time."""
    kept: dict[tuple[Any, ...], Any] = {}
    original = jinja2.Environment.compile

    def compile_once(self: jinja2.Environment, *arguments: Any) -> Any:
        key = (self.code_generator_class, *arguments)
        if key not in kept:
            kept[key] = original(self, *arguments)
        self.preprocess(arguments[0])  # where Copier's `yield` forgets the loop before
        return kept[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jinja2.Environment, "compile", compile_once)
        yield


def template_files() -> list[Path]:
    """The files of this repository that a copy of the template needs, tracked or not yet."""
    listed = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")
    wanted = ("copier.yml", "questions/", "templates/", "includes/", "hooks/")
    return [Path(path) for path in listed if path.startswith(wanted) and (ROOT / path).is_file()]


def lands_on(template: Path) -> str:
    """Where a path below templates/ lands in a project that has all overlays, with `{package}` for the package."""

    def rendered(overlay: re.Match[str]) -> str:
        return {"src": "src/{package}", "tests": "tests"}.get(overlay[1].rpartition("_")[2], ".")

    return posixpath.normpath(re.sub(r"\{\{ use\.(\w+) \}\}", rendered, template.as_posix())).removesuffix(".jinja")


def rendered_files(project: Path) -> dict[str, bytes]:
    """Every file of a rendered project by its path, without what Copier says about where it came from."""
    found = {}
    for path in sorted(project.rglob("*")):
        relative = path.relative_to(project).as_posix()
        if path.is_file() and not relative.startswith((".git/", ".venv/")) and relative != ".copier-answers.yml":
            found[relative] = path.read_bytes()
    return found
