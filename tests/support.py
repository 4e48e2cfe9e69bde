"""Shared by the suites: the template's files, git, and the flavours."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import copier
import jinja2
import pytest
import yaml
from copier._main import Worker
from jinja2.sandbox import SandboxedEnvironment

ROOT = Path(__file__).parent.parent
FRAMEWORKS = ("django", "fastapi", "flask")
# The example modules, by flavour or by framework.
EXAMPLES = {
    "django": ["accounts", "billing", "reporting"],
    "fastapi": ["accounts", "billing", "events"],
    "flask": ["accounts", "billing", "webhooks"],
    "flask-wrapper": ["accounts", "predictions"],
}
# Projects for the black-box suites: the defaults, Django Ninja, pages with an admin, and a Flask model wrapper.
FLAVOURS: dict[str, dict[str, str]] = {name: {"framework": name} for name in FRAMEWORKS}
FLAVOURS["ninja"] = {"framework": "django", "api": "ninja"}
FLAVOURS["fastapi-pages"] = {"framework": "fastapi", "pages": "true", "admin_ui": "true"}
FLAVOURS["flask-pages"] = {"framework": "flask", "pages": "true", "admin_ui": "true"}
FLAVOURS["flask-wrapper"] = {"framework": "flask", "purpose": "wrapper"}


class Render(Protocol):
    """Render a project without tasks and return its folder."""

    def __call__(self, folder: str = "project", **answers: Any) -> Path: ...


def require(present: object, reason: str) -> None:
    """Skip the test unless `present`. Fail instead if CI=true."""
    if not present:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)


def render_into(target: Path, template: Path, *, overwrite: bool = False, **answers: Any) -> Path:
    """Render a project into `target` without tasks and return `target`. The default name is Shop."""
    data = {"project_name": "Shop", **answers}
    copier.run_copy(str(template), target, data=data, defaults=True, overwrite=overwrite, skip_tasks=True, quiet=True)
    return target


def git(repository: Path, *arguments: str) -> str:
    """Return the output of git. Raise CalledProcessError if it fails."""
    return subprocess.run(["git", *arguments], cwd=repository, check=True, capture_output=True, text=True).stdout


def release(repository: Path, version: str) -> None:
    """Commit everything in `repository` and tag it. Create the repository if needed."""
    if not (repository / ".git").exists():
        git(repository, "init", "--quiet")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", f"Release {version}")
    git(repository, "tag", version)
    # Copier clones it several times per update, and loose objects are slow to delete.
    git(repository, "repack", "-a", "-d", "-q")


def answers_of(project: Path) -> dict[str, Any]:
    """Return the recorded answers of `project`."""
    answers: dict[str, Any] = yaml.safe_load((project / ".copier-answers.yml").read_text(encoding="utf-8"))
    return answers


def naming_rules() -> Any:
    """Return the macros of includes/names.jinja as functions."""
    filters = "jinja2_ansible_filters.AnsibleCoreFiltersExtension"
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(ROOT), extensions=[filters], trim_blocks=True)  # noqa: S701
    return environment.get_template("includes/names.jinja").module


@contextmanager
def compiled_once() -> Iterator[None]:
    """Cache Jinja's compiled templates across copies, and ask git nothing per file: most of the time of a copy."""
    kept: dict[tuple[Any, ...], Any] = {}
    original = jinja2.Environment.compile

    def compile_once(self: jinja2.Environment, *arguments: Any) -> Any:
        if not isinstance(self, SandboxedEnvironment):  # not Copier's
            return original(self, *arguments)
        key = (self.code_generator_class, *arguments)
        if key not in kept:
            kept[key] = original(self, *arguments)
        self.preprocess(arguments[0])  # resets the state of Copier's `yield` tag
        return kept[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jinja2.Environment, "compile", compile_once)
        # Matters where core.fileMode is false, as on Windows.
        patch.setattr(Worker, "_sync_git_index_executable_bit", lambda *_: None)
        yield


class Landed(NamedTuple):
    """A file that Copier has rendered, by path, and the answers with which it did."""

    project: Path
    template: str
    path: str
    answers: Mapping[str, Any]


@contextmanager
def landings_noted() -> Iterator[list[Landed]]:
    """Record each file that Copier renders inside this context."""
    landed: list[Landed] = []
    original = Worker._render_file

    def note(self: Worker, src_relpath: Path, dst_relpath: Path, *arguments: Any, **options: Any) -> None:
        answers = self.answers.combined
        landed.append(Landed(Path(self.dst_path), src_relpath.as_posix(), dst_relpath.as_posix(), answers))
        original(self, src_relpath, dst_relpath, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Worker, "_render_file", note)
        yield landed


def template_files() -> list[Path]:
    """Return the files of this repository that Copier needs, tracked or untracked."""
    listed = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")
    wanted = ("copier.yml", "questions/", "templates/", "includes/", "parts/", "hooks/")
    return [Path(path) for path in listed if path.startswith(wanted) and (ROOT / path).is_file()]


def rendered_files(project: Path) -> dict[str, bytes]:
    """Return the content of each file of a project by path, without the answers file."""
    found = {}
    for path in sorted(project.rglob("*")):
        relative = path.relative_to(project).as_posix()
        if path.is_file() and not relative.startswith((".git/", ".venv/")) and relative != ".copier-answers.yml":
            found[relative] = path.read_bytes()
    return found
