"""A template to copy from that no developer's machine can colour, and projects rendered from it."""

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
from support import EXAMPLES, FLAVOURS, FRAMEWORKS, ROOT, Render, answers_of, release, render_into, template_files
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

# They make a project for each test.
ON_THEIR_OWN = ("tests/test_generated.py", "tests/test_presets.py")


class ByProject(LoadScopeScheduling):  # type: ignore[misc]
    """Tests that ask the same generated project run on the same worker, of the others those of a file."""

    def _split_scope(self, nodeid: str) -> str:
        path, _, parameters = nodeid.partition("[")
        flavours = [name for name in FLAVOURS if re.search(rf"(^|-){name}[-\]]", parameters)]
        alone = nodeid if nodeid.startswith(ON_THEIR_OWN) else path.partition("::")[0]
        return max(flavours, key=len, default=alone)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByProject:
    return ByProject(config, log)


@pytest.fixture(autouse=True, scope="session")
def neutral_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nobody's Copier settings, git identity or environment variables reach a test."""
    home = tmp_path_factory.mktemp("home")
    (home / "settings.yml").write_text("{}\n")
    (home / "gitconfig").write_text("[user]\nname = Test\nemail = test@example.com\n[init]\ndefaultBranch = main\n")
    patch = pytest.MonkeyPatch()
    patch.setenv("COPIER_SETTINGS_PATH", str(home / "settings.yml"))
    patch.setenv("GIT_CONFIG_GLOBAL", str(home / "gitconfig"))
    patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    # What generated projects have in common is looked at once.
    patch.setenv("MYPY_CACHE_DIR", str(tmp_path_factory.mktemp("mypy")))
    for name in ("DATABASE_URL", "ENVIRONMENT", "SECRET_KEY", "VIRTUAL_ENV", "HOST", "PORT"):
        patch.delenv(name, raising=False)
    # What Copier starts, git and hooks, gets the variables that plumbum copied when it was imported.
    plumbum.local.env.clear()
    plumbum.local.env.update(os.environ)
    yield
    patch.undo()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this repository as it stands, without git: Copier renders it in place instead of cloning it."""
    target = tmp_path_factory.mktemp("template")
    for path in template_files():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, target / path)
    return target


@pytest.fixture(scope="session")
def released_template(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a git repository whose only commit is tagged 0.1.0."""
    target = tmp_path_factory.mktemp("released") / "template"
    shutil.copytree(template, target)
    release(target, "0.1.0")
    return target


@pytest.fixture(scope="session")
def probe(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The questions without the project: renders the answers, the decision record, and what was computed."""
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
    """A function that renders a project without tasks: `render(framework="flask", …)` gives its folder."""

    def rendered(folder: str = "project", **answers: Any) -> Path:
        return render_into(tmp_path / folder, template, **answers)

    return rendered


@pytest.fixture(scope="session")
def copies() -> dict[str, tuple[Path, str]]:
    """The projects that were generated already, because pytest comes back to a flavour for another database."""
    return {}


@pytest.fixture(scope="session", params=FRAMEWORKS)
def generated(
    request: pytest.FixtureRequest,
    copies: dict[str, tuple[Path, str]],
    released_template: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, str]:
    """A project with an empty module besides its example, copied with all tasks, of each framework in turn.

    A suite may ask for other flavours. With it comes what was printed.
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
    """The folder of that project. Suites that change files work in a clone of it."""
    return generated[0]


@pytest.fixture(scope="session")
def copy_output(generated: tuple[Path, str]) -> str:
    """What `copier copy` printed while it made that project."""
    return generated[1]


@pytest.fixture(scope="session", params=("sqlite", "postgresql"))
def database(request: pytest.FixtureRequest, project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a migrated database of the project, of each kind in turn, with somebody who can sign in."""
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
    """The project's production server on that database; on PostgreSQL with two processes, where it can have them."""
    processes = "2" if "postgresql" in database and answers_of(project)["framework"] == "fastapi" else "1"
    secrets = f"{OLD_WEBHOOK_SECRET},{WEBHOOK_SECRET}"
    origins = "https://app.example.com"
    variables = {"CORS_ORIGINS": origins, "WEBHOOK_SECRETS": secrets, "WEB_CONCURRENCY": processes}
    with serving(project, DATABASE_URL=database, **variables) as running:
        yield running
