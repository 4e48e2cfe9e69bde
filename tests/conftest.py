"""Fixtures: an isolated copy of the template, rendered and generated projects, databases and servers."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import plumbum
import pytest
from servers import (
    OLD_WEBHOOK_SECRET,
    WEBHOOK_SECRET,
    Server,
    copy_project,
    just,
    postgresql_database,
    seed,
    serving,
)
from support import (
    EXAMPLES,
    FLAVOURS,
    FRAMEWORKS,
    ROOT,
    Render,
    answers_of,
    compiled_once,
    release,
    render_into,
    template_files,
)
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

# Each of their tests generates a project.
ON_THEIR_OWN = ("tests/test_generated.py", "tests/test_presets.py")
# Each test has exactly one of these markers.
TIERS = {
    "fast": "questions, rendering, bad input, hooks with stubs, tools: no project is set up",
    "project": "the three default projects on SQLite",
    "matrix": "other flavours, PostgreSQL, other Pythons, presets",
    "update": "updates from each release, with edits",
}


def tier_of(item: pytest.Function) -> str:
    """Return the tier of a test: its marker, or what its file and its fixtures say."""
    marked = [mark.name for mark in item.iter_markers() if mark.name in TIERS]
    if marked:
        return marked[0]
    if item.path.name.startswith("test_update"):
        return "update"
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    if "generated" not in item.fixturenames:
        return "matrix" if item.nodeid.startswith(ON_THEIR_OWN) else "fast"
    default = parameters["generated"] in FRAMEWORKS and parameters.get("database") != "postgresql"
    return "project" if default else "matrix"


def pytest_configure(config: pytest.Config) -> None:
    for tier, description in TIERS.items():
        config.addinivalue_line("markers", f"{tier}: {description}")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with its tier, before `-m` selects."""
    for item in items:
        if isinstance(item, pytest.Function) and not any(mark.name in TIERS for mark in item.iter_markers()):
            item.add_marker(tier_of(item))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tell the helpers in servers.py the tier."""
    os.environ["PYTEST_TIER"] = " ".join(mark.name for mark in item.iter_markers() if mark.name in TIERS)


class ByProject(LoadScopeScheduling):  # type: ignore[misc]
    """Run tests of the same generated project on the same worker, and the others file by file."""

    def _split_scope(self, nodeid: str) -> str:
        path, _, parameters = nodeid.partition("[")
        flavours = [name for name in FLAVOURS if re.search(rf"(^|-){name}[-\]]", parameters)]
        alone = nodeid if nodeid.startswith(ON_THEIR_OWN) else path.partition("::")[0]
        return max(flavours, key=len, default=alone)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByProject:
    return ByProject(config, log)


@pytest.fixture(autouse=True, scope="session")
def neutral_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hide the developer's Copier settings, git identity and environment variables."""
    home = tmp_path_factory.mktemp("home")
    (home / "settings.yml").write_text("{}\n")
    (home / "gitconfig").write_text("[user]\nname = Test\nemail = test@example.com\n[init]\ndefaultBranch = main\n")
    patch = pytest.MonkeyPatch()
    patch.setenv("COPIER_SETTINGS_PATH", str(home / "settings.yml"))
    patch.setenv("GIT_CONFIG_GLOBAL", str(home / "gitconfig"))
    patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    # Generated projects share a mypy cache.
    patch.setenv("MYPY_CACHE_DIR", str(tmp_path_factory.mktemp("mypy")))
    for name in ("DATABASE_URL", "ENVIRONMENT", "SECRET_KEY", "VIRTUAL_ENV", "HOST", "PORT"):
        patch.delenv(name, raising=False)
    # Copier runs git and hooks with the environment that plumbum copied at import.
    plumbum.local.env.clear()
    plumbum.local.env.update(os.environ)
    yield
    patch.undo()


@pytest.fixture(autouse=True, scope="session")
def fast_copies() -> Iterator[None]:
    with compiled_once():
        yield


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the work tree without git, which Copier renders without cloning."""
    target = tmp_path_factory.mktemp("template")
    for path in template_files():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, target / path)
    return target


@pytest.fixture(scope="session")
def released_template(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template as a git repository with one commit, tagged 0.1.0."""
    target = tmp_path_factory.mktemp("released") / "template"
    shutil.copytree(template, target)
    release(target, "0.1.0")
    return target


@pytest.fixture(scope="session")
def probe(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small template with the questions: renders the answers, the decision record and the recommendation."""
    target = tmp_path_factory.mktemp("probe") / "template"
    for folder in ("questions", "includes", "hooks"):
        shutil.copytree(template / folder, target / folder)
    shutil.copy2(template / "copier.yml", target)
    for path in ("{{ _copier_conf.answers_file }}.jinja", "docs/adr/0001-framework.md.jinja"):
        (target / "templates" / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(template / "templates" / path, target / "templates" / path)
    computed = "{{ {'framework': framework, 'recommendation': recommendation, 'fired': fired} | to_json }}"
    (target / "templates" / "computed.json.jinja").write_text(computed)
    return target


@pytest.fixture
def render(template: Path, tmp_path: Path) -> Render:
    """Return a function that renders a project without tasks: `render(framework="flask", …)` returns its folder."""

    def rendered(folder: str = "project", **answers: Any) -> Path:
        return render_into(tmp_path / folder, template, **answers)

    return rendered


@pytest.fixture(scope="session")
def copies() -> dict[str, tuple[Path, str]]:
    """Cache of generated projects. Pytest returns to a flavour for the other database."""
    return {}


@pytest.fixture(scope="session", params=FRAMEWORKS)
def generated(
    request: pytest.FixtureRequest,
    copies: dict[str, tuple[Path, str]],
    released_template: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, str]:
    """A project with its example and a scaffold, copied with all tasks, and the output of Copier.

    Runs once per framework; a suite can parametrize other flavours.
    """
    if request.param in copies:
        return copies[request.param]
    flavour = FLAVOURS[request.param]
    target = tmp_path_factory.mktemp(request.param) / "shop"
    example = EXAMPLES.get(request.param, EXAMPLES[flavour["framework"]])
    modules = json.dumps([*example, "items"])
    output = copy_project(released_template, target, {**flavour, "modules": modules})
    copies[request.param] = target, output
    return copies[request.param]


@pytest.fixture(scope="session")
def project(generated: tuple[Path, str]) -> Path:
    """The folder of the generated project. Clone it to change files."""
    return generated[0]


@pytest.fixture(scope="session")
def copy_output(generated: tuple[Path, str]) -> str:
    """The output of `copier copy` for the generated project."""
    return generated[1]


@pytest.fixture(scope="session", params=("sqlite", "postgresql"))
def database(request: pytest.FixtureRequest, project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a migrated and seeded database of the project, once per database type."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{(tmp_path_factory.mktemp('conformance') / 'db.sqlite3').as_posix()}"
        else:
            url = stack.enter_context(postgresql_database("conformance"))
        just(project, "migrate", DATABASE_URL=url)
        seed(project, DATABASE_URL=url)
        yield url


@pytest.fixture(scope="session")
def server(project: Path, database: str) -> Iterator[Server]:
    """The project's production server on that database. FastAPI on PostgreSQL runs two processes."""
    processes = "2" if "postgresql" in database and answers_of(project)["framework"] == "fastapi" else "1"
    secrets = f"{OLD_WEBHOOK_SECRET},{WEBHOOK_SECRET}"
    origins = "https://app.example.com"
    variables = {"CORS_ORIGINS": origins, "WEBHOOK_SECRETS": secrets, "WEB_CONCURRENCY": processes, "DEBUG": "false"}
    with serving(project, DATABASE_URL=database, **variables) as running:
        yield running
