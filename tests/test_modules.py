"""Modules belong to the project: a capability only adds files to them, and what a team adds is found by its name."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import copier
import httpx
import merge
import pytest
import undo
import update as engine
from remove import remove, report
from servers import (
    CREDENTIALS,
    Server,
    authorization,
    clean_environment,
    just,
    problem,
    recipe_serving,
    runs,
    serving,
    working_copy,
)
from support import (
    EXAMPLES,
    FRAMEWORKS,
    Render,
    answers_of,
    git,
    release,
    render_into,
    rendered_files,
)

MODULES = ("accounts", "billing", "events", "webhooks")

# Answers without and with a capability.
CAPABILITIES: list[tuple[str, dict[str, bool], dict[str, bool]]] = [
    ("fastapi", {}, {"pages": True}),
    ("fastapi", {}, {"admin_ui": True}),
    ("fastapi", {"pages": True}, {"pages": True, "admin_ui": True}),
    ("fastapi", {"admin_ui": True}, {"pages": True, "admin_ui": True}),
    ("fastapi", {"realtime": False}, {"realtime": True}),
    ("flask", {}, {"pages": True}),
    ("flask", {}, {"admin_ui": True}),
    ("flask", {"pages": True}, {"pages": True, "admin_ui": True}),
    ("flask", {"admin_ui": True}, {"pages": True, "admin_ui": True}),
]


@pytest.mark.parametrize(("framework", "without", "with_it"), CAPABILITIES)
def test_capability_only_adds_files_to_modules(
    framework: str, without: dict[str, bool], with_it: dict[str, bool], render: Render
) -> None:
    # Events are a module, with tables.
    folders = [f"{root}/{module}/" for root in ("src/shop", "tests") for module in MODULES]
    folders += [] if "realtime" in with_it else ["migrations/versions/"]
    before, after = (
        {path: text for path, text in rendered_files(project).items() if path.startswith(tuple(folders))}
        for project in (
            render("without", framework=framework, **without),
            render("with", framework=framework, **with_it),
        )
    )
    assert [path for path, text in before.items() if after.get(path) != text] == []
    assert before.keys() < after.keys()


# What a team adds to its module `items`, without an edit elsewhere.
FASTAPI = {
    "export_router.py": """
from fastapi import APIRouter, Request
from sqlalchemy import event
from sqlalchemy.orm import Session

from ..accounts.public import Writer
from ..core.database import SessionDependency
from . import services

router = APIRouter(prefix="/items-export", tags=["items"])
open_router = APIRouter(prefix="/feeds/items", include_in_schema=False)


def fail(session: Session) -> None:
    raise RuntimeError("the commit failed")


@router.get("")
async def export(request: Request) -> str:
    return request.state.greeting


@router.post("/{name}")
async def create(name: str, actor: Writer, session: SessionDependency) -> None:
    await services.create(session, actor=actor, name=name)
    if name == "failing":
        event.listen(session.sync_session, "before_commit", fail)


@open_router.get("")
async def feed() -> str:
    return "open"
""",
    "lifespan.py": """
from contextlib import asynccontextmanager


@asynccontextmanager
async def lifespan(state):
    yield {"greeting": "exported"}
""",
    "pages.py": """
from fastapi import APIRouter, Request, Response

from ..core.browsers import Link, page

pages = APIRouter(prefix="/items")
NAVIGATION = [Link("All items", "/items", position=50)]


@pages.get("")
async def overview(request: Request) -> Response:
    return page(request, "items/overview.html")
""",
    "templates/items/overview.html": """
{% extends "core/base.html" %}
{% block content %}Overview of {{ request.state.greeting }}{% endblock %}
""",
    "commands.py": 'print("the command ran")\n',
}

FLASK = {
    "views.py": """
exports = APIBlueprint("items-exports", __name__, url_prefix="/items-exports")


@exports.get("")
def export() -> dict[str, str]:
    return {"answer": "export"}
""",
    "import_views.py": """
from apiflask import APIBlueprint

imports = APIBlueprint("items-imports", __name__, url_prefix="/items-imports")


@imports.get("")
def imported() -> dict[str, str]:
    return {"answer": "import"}
""",
    "pages.py": """
from flask import Blueprint

from ..accounts.public import current_actor

NAVIGATION = [("Items", "/items")]
open_pages = Blueprint("items-open-pages", __name__)
pages = Blueprint("items-pages", __name__)


@open_pages.get("/about-items")
def about() -> str:
    return "About items"


@pages.get("/items")
def items() -> str:
    return f"The items of {current_actor().email}"
""",
    "archive_admin.py": """
from .admin import ItemView


class ArchiveView(ItemView):
    title = "Archive"
    path = "archive"


VIEWS = (ArchiveView,)
""",
    "commands.py": """
import click
from flask import Blueprint

blueprint = Blueprint("items-commands", __name__, cli_group=None)


@blueprint.cli.command()
def count_items() -> None:
    click.echo("no items")
""",
}

# The first write starts the transaction anew, and sees what others have written meanwhile.
WRITE_LOCK = """
from shop.app import create_app
from shop.extensions import db
from sqlalchemy import text
write = text("UPDATE alembic_version SET version_num = version_num")
with create_app().app_context(), db.engine.connect() as shell:
    before = shell.scalar(text("SELECT version_num FROM alembic_version"))
    with db.engine.begin() as other:
        other.execute(write)
    shell.execute(write)
    assert shell.scalar(text("SELECT version_num FROM alembic_version")) == before
"""

fastapi = pytest.mark.parametrize("generated", ["fastapi-pages"], indirect=True, scope="session")
flask = pytest.mark.parametrize("generated", ["flask-pages"], indirect=True, scope="session")
both = pytest.mark.parametrize("generated", ["fastapi-pages", "flask-pages"], indirect=True, scope="session")
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="session")


@pytest.fixture(scope="session")
def extended(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with more files in `items`, to which an update has then added the module `orders`."""
    copy = working_copy(project, tmp_path_factory.mktemp("extended") / "shop")
    answers = answers_of(project)
    for name, source in {"fastapi": FASTAPI, "flask": FLASK}[answers["framework"]].items():
        path = copy / "src/shop/items" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{path.read_text()}\n{source}" if path.exists() else source.lstrip("\n"))
    git(copy, "init", "--quiet")
    git(copy, "add", "--all")
    git(copy, "commit", "--quiet", "--message", "Work")
    modules = [*answers["modules"], "orders"]
    options: dict[str, Any] = {"defaults": True, "overwrite": True, "unsafe": True, "quiet": True}
    copier.run_update(copy, data={"modules": modules}, vcs_ref=copier.VcsRef.CURRENT, **options)
    return copy


@pytest.fixture(scope="session")
def extended_server(extended: Path, database: str) -> Iterator[Server]:
    with serving(extended, DATABASE_URL=database, **runs(extended)) as running:
        yield running


@both
def test_update_that_adds_a_module_has_no_conflict(extended: Path) -> None:
    changed = {line[3:] for line in git(extended, "status", "--porcelain").splitlines()}
    assert {path for path in changed if "orders" not in path} <= {
        ".copier-answers.yml",
        "README.md",
        "src/shop/modules.py",
    }
    listed = (extended / "src/shop/modules.py").read_text()
    assert '    "orders",\n' in listed
    assert "<<<<<<<" not in listed


@both
def test_removal_of_another_module_changes_nothing_in_an_extended_one(extended: Path, tmp_path: Path) -> None:
    copy = working_copy(extended, tmp_path / "shop")
    (copy / ".venv").unlink()
    git(copy, "init", "--quiet")
    commit(copy)
    removed(copy, "orders")
    assert "orders" not in (copy / "src/shop/modules.py").read_text()
    assert git(copy, "diff", "--name-only", "HEAD", "--", "src/shop/items", "tests/items") == ""


@fastapi
@on_sqlite
def test_second_router_and_lifespan_are_found(extended: Path, extended_server: Server) -> None:
    token = authorization(extended, extended_server)
    export = f"{extended_server.url}/api/v1/items-export"
    problem(httpx.get(export, timeout=15), 401)
    assert httpx.get(export, headers=token, timeout=15).json() == "exported"
    assert httpx.get(f"{extended_server.url}/feeds/items", timeout=15).json() == "open"


@fastapi
@on_sqlite
def test_response_is_sent_after_the_commit(extended: Path, extended_server: Server) -> None:
    token = authorization(extended, extended_server)
    for name, status in (("failing", 500), ("stored", 200)):
        answer = httpx.post(f"{extended_server.url}/api/v1/items-export/{name}", headers=token, timeout=15)
        assert answer.status_code == status, answer.text
    items = httpx.get(f"{extended_server.url}/api/v1/items", headers=token, timeout=15).json()["items"]
    names = [item["name"] for item in items]
    assert "stored" in names
    assert "failing" not in names


@fastapi
@on_sqlite
def test_page_and_admin_view_are_found(extended_server: Server) -> None:
    headers = {"accept": "text/html", "sec-fetch-site": "same-origin"}
    with httpx.Client(base_url=extended_server.url, timeout=15, headers=headers) as browser:
        assert browser.get("/items").headers["location"] == "/sign-in?next=/items"
        form = {"email": CREDENTIALS["username"], "password": CREDENTIALS["password"]}
        assert browser.post("/sign-in", data=form).status_code == 303
        assert "Overview of exported" in browser.get("/items").text
        # In the order of their positions.
        menu = browser.get("/profile").text
        assert menu.index(">Invoices<") < menu.index(">All items<") < menu.index(">Profile<")
        assert browser.get("/admin/item/list").status_code == 200


@fastapi
def test_command_is_found(extended: Path) -> None:
    assert run(extended, "-m", "shop.items.commands") == "the command ran\n"


@flask
@on_sqlite
def test_blueprints_pages_and_admin_views_are_found(extended_server: Server) -> None:
    for path, text in (("/items-exports", "export"), ("/items-imports", "import")):
        assert httpx.get(f"{extended_server.url}{path}", timeout=15).json() == {"answer": text}
    headers = {"accept": "text/html", "sec-fetch-site": "same-origin"}
    with httpx.Client(base_url=extended_server.url, timeout=15, headers=headers) as browser:
        assert browser.get("/about-items").text == "About items"
        assert browser.get("/items").headers["location"] == "/sign-in?next=/items"
        form = {"email": CREDENTIALS["username"], "password": CREDENTIALS["password"]}
        assert browser.post("/sign-in", data=form).status_code == 303
        assert browser.get("/items").text == "The items of ada@example.com"
        assert '<a href="/items">Items</a>' in browser.get("/profile").text
        assert browser.get("/admin/archive/list").status_code == 200


@flask
def test_flask_command_is_found(extended: Path) -> None:
    assert "no items\n" in run(extended, "-m", "flask", "--app", "shop.app", "count-items")


@flask
@pytest.mark.parametrize(
    ("file", "source", "reason"),
    [
        ("modules.py", 'MODULES = ["nowhere"]\n', "modules.py lists 'nowhere', but "),
        ("items/more_views.py", "", "shop.items.more_views needs a Blueprint"),
        ("items/admin.py", "", "module 'shop.items.admin' has no attribute 'VIEWS'"),
    ],
)
def test_flask_names_what_is_missing(file: str, source: str, reason: str, project: Path, tmp_path: Path) -> None:
    copy = working_copy(project, tmp_path / "shop")
    (copy / "src/shop" / file).write_text(source)
    assert reason in run(copy, "-m", "flask", "--app", "shop.app", "routes")


@flask
@on_sqlite
def test_reading_takes_no_write_lock(project: Path, database: str) -> None:
    assert run(project, "-c", WRITE_LOCK, DATABASE_URL=database) == ""


@fastapi
@pytest.mark.parametrize(
    ("file", "source", "reason"),
    [
        ("modules.py", 'MODULES = ["nowhere"]\n', "modules.py lists 'nowhere', but "),
        ("items/router.py", "\n", "shop.items.router must have an APIRouter"),
        ("items/pages.py", "from fastapi import APIRouter\n\npages = APIRouter()\n", "must have 'NAVIGATION'"),
        ("items/admin.py", "\n", "shop.items.admin must have 'VIEWS'"),
    ],
)
def test_what_is_missing_is_named(file: str, source: str, reason: str, project: Path, tmp_path: Path) -> None:
    copy = working_copy(project, tmp_path / "shop")
    (copy / "src/shop" / file).write_text(source)
    said = run(copy, "-c", "import shop.main").splitlines()[-1]
    assert said.startswith("ImportError: ")
    assert reason in said


def run(project: Path, *arguments: str, **variables: str) -> str:
    """Run Python in a copy of a project and return what it prints."""
    result = subprocess.run(
        [str(project / ".venv/bin/python"), *arguments],
        cwd=project,
        env=clean_environment(**runs(project), **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return result.stdout


@dataclass
class Extension:
    """What a team adds to the module `items`."""

    # New files of the module, and text that is appended to files which it has.
    files: dict[str, str]
    appended: dict[str, str] = field(default_factory=dict)
    # The paths that are served afterwards with their status, and a command with its output.
    served: dict[str, int] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    output: str = ""


DJANGO_PAGE = """
from django.http import HttpRequest, HttpResponse
from django.urls import path


def board(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<h1>The board</h1>")


urlpatterns = [path("{path}", board)]
"""
DJANGO_ADMIN = """

@admin.register(LogEntry)
class LogEntryAdmin(admin.ModelAdmin):
    list_display = ("action_time", "user")
"""
DJANGO_COMMAND = """
from django.core.management import BaseCommand


class Command(BaseCommand):
    def handle(self, *args: object, **options: object) -> None:
        self.stdout.write("hello from items")
"""
DJANGO_FILES = {
    "pages.py": DJANGO_PAGE.format(path="board"),
    "management/__init__.py": "",
    "management/commands/__init__.py": "",
    "management/commands/greet.py": DJANGO_COMMAND,
}
DRF_ROUTER = """

class PingViewSet(ViewSet):
    @extend_schema(operation_id="items_ping", tags=["items"], responses=OpenApiTypes.STR)
    def list(self, request: Request) -> Response:
        return Response("pong")


pings = SimpleRouter(trailing_slash=False, use_regex_path=False)
pings.register("pings", PingViewSet, basename="ping")
urlpatterns = [*urlpatterns, *pings.urls]
"""
NINJA_ROUTER = """

pings = Router(tags=["pings"])


@pings.get("pings", operation_id="items_ping", response=str)
def ping(request: HttpRequest) -> str:
    return "pong"


router.add_router("", pings)
"""
NINJA_WEBHOOKS = """
from django.http import HttpRequest
from ninja import Router

router = Router(auth=None)


@router.get("items", operation_id="webhooks_items", response=str)
def hook(request: HttpRequest) -> str:
    return "heard"
"""
DJANGO_SERVED = {"/board": 200, "/webhooks/items": 200, "/api/v1/pings": 401, "/admin/admin/logentry/": 302}

EXTENSIONS = {
    "django": Extension(
        files={**DJANGO_FILES, "webhooks.py": DJANGO_PAGE.format(path="items")},
        appended={"admin.py": DJANGO_ADMIN, "api.py": DRF_ROUTER},
        served=DJANGO_SERVED,
        command=("python", "manage.py", "greet"),
        output="hello from items",
    ),
    "ninja": Extension(
        files={**DJANGO_FILES, "webhooks.py": NINJA_WEBHOOKS},
        appended={"admin.py": DJANGO_ADMIN, "api.py": NINJA_ROUTER},
        served=DJANGO_SERVED,
        command=("python", "manage.py", "greet"),
        output="hello from items",
    ),
}
# Imports that the appended text needs, by file.
IMPORTS = {
    "django/api.py": (
        "from drf_spectacular.types import OpenApiTypes\n"
        "from rest_framework.request import Request\n"
        "from rest_framework.response import Response\n"
        "from rest_framework.viewsets import ViewSet\n"
    ),
    "django/admin.py": "from django.contrib.admin.models import LogEntry\n",
    "ninja/admin.py": "from django.contrib.admin.models import LogEntry\n",
}


@pytest.fixture
def extension(request: pytest.FixtureRequest, generated: tuple[Path, str]) -> tuple[str, Extension]:
    flavour = request.node.callspec.params["generated"]
    return flavour, EXTENSIONS[flavour]


@pytest.mark.parametrize("generated", [*EXTENSIONS], indirect=True, scope="session")
def test_extended_module_needs_no_wiring_and_survives_an_update(
    project: Path, extension: tuple[str, Extension], tmp_path: Path
) -> None:
    flavour, added = extension
    trust = f"template.trust={answers_of(project)['_src_path']}"
    git(project.parent, "clone", "--quiet", "--config", trust, str(project), str(tmp_path / "shop"))
    clone = tmp_path / "shop"
    just(clone, "setup")
    module = clone / "src" / "shop" / "items"
    for name, text in added.files.items():
        (module / name).parent.mkdir(parents=True, exist_ok=True)
        (module / name).write_text(text)
    for name, text in added.appended.items():
        before = (module / name).read_text()
        (module / name).write_text(f"{IMPORTS.get(f'{flavour}/{name}', '')}{before}{text}")
    just(clone, "_openapi")
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--no-verify", "--message", "Extend items")
    just(clone, "add-module", "orders")
    assert git(clone, "diff", "--name-only", "HEAD", "--", "src/shop/items") == ""
    with recipe_serving(clone, "dev") as server:
        wanted = {**added.served, "/api/v1/orders": 401}
        assert {path: httpx.get(f"{server.url}{path}", timeout=10).status_code for path in wanted} == wanted
    commit(clone)
    just(clone, "remove-module", "orders")
    assert git(clone, "diff", "--name-only", "HEAD", "--", "src/shop/items", "tests/items") == ""
    command = ["uv", "run", *added.command]
    result = subprocess.run(command, cwd=clone, env=clean_environment(), capture_output=True, text=True, check=False)
    assert added.output in result.stdout, result.stderr


@pytest.mark.parametrize("generated", ["django"], indirect=True, scope="session")
def test_startapp_refers_to_add_module(project: Path) -> None:
    command = [str(project / ".venv" / "bin" / "python"), "manage.py", "startapp", "invoices"]
    environment = {**clean_environment(), "PATH": os.devnull}
    environment.pop("UV", None)
    result = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "uv run just add-module" in result.stderr


def committed(target: Path, template: Path, **answers: Any) -> Path:
    """Render a project from the release of the template and commit it."""
    data = {"project_name": "Shop", **answers}
    copier.run_copy(str(template), target, data=data, vcs_ref="0.1.0", defaults=True, skip_tasks=True, quiet=True)
    git(target, "init", "--quiet")
    commit(target)
    return target


def commit(project: Path) -> None:
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--allow-empty", "--message", "Work")


def removed(project: Path, name: str) -> str:
    """Remove a module as `just remove-module` does, and return what it says."""
    source = Path(answers_of(project)["_src_path"])
    module, plan = remove(merge.Template(source, str(source)), project, name)
    return "\n".join(report(module, plan, project))


def without_migrations(files: dict[str, bytes]) -> dict[str, bytes]:
    return {path: content for path, content in files.items() if not path.startswith("migrations/versions/")}


@pytest.mark.update
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_removed_module_is_as_if_it_had_never_been_there(
    framework: str, released_template: Path, template: Path, tmp_path: Path
) -> None:
    releasing = Path(shutil.copytree(released_template, tmp_path / "template"))
    modules = [*EXAMPLES[framework], "items"]
    project = committed(tmp_path / "shop", releasing, framework=framework, modules=[*modules, "orders"])
    cache = project / "src/shop/orders/__pycache__/models.pyc"
    cache.parent.mkdir()
    cache.write_text("compiled")
    said = removed(project, "orders")
    assert said.splitlines()[0].startswith("module 'orders' removed, not committed: ")
    assert ("orders_order" if framework == "django" else "the tables orders and their migrations") in said
    assert not (project / "src/shop/orders").exists()
    assert answers_of(project)["modules"] == modules
    never = render_into(tmp_path / "never", template, framework=framework, modules=modules)
    assert without_migrations(rendered_files(project)) == without_migrations(rendered_files(never))
    if framework == "flask":
        # The files inside another module stay.
        commit(project)
        removed(project, "webhooks")
        assert (project / "src/shop/billing/exchange_rates.py").exists()
        assert "RatesSettings" in (project / "src/shop/core/settings.py").read_text()
    commit(project)
    wanted = {path for path in rendered_files(project) if "orders" in path or "webhooks" in path}
    (releasing / "templates/docs/added.md").write_text("New.\n")
    release(releasing, "0.2.0")
    engine.update(merge.Template(releasing, str(releasing)), project, engine.Request("0.2.0"))
    assert (project / "docs/added.md").exists()
    assert {path for path in rendered_files(project) if "orders" in path or "webhooks" in path} == wanted


USES_ORDERS = """
import shop.items
from shop import orders as sold
from shop.orders import models

NAME = "shop.orders.services"
"""
DJANGO_USES = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_initial")]
    operations = [migrations.AddField("item", "order", models.ForeignKey("orders.order", models.PROTECT))]
"""


@pytest.mark.update
@pytest.mark.parametrize(
    ("framework", "edit", "sentences"),
    [
        (
            "django",
            ("src/shop/items/migrations/0002_order.py", DJANGO_USES),
            {
                "billing": "change these lines first, which need billing: src/shop/reporting/admin.py:",
                "accounts": "keep accounts: it has the user model, which a Django project cannot do without",
                "orders": "change these lines first, which need orders: src/shop/items/migrations/0002_order.py:5,6",
            },
        ),
        (
            "fastapi",
            ("tests/test_sales.py", USES_ORDERS),
            {
                "billing": "switch realtime off with `just update-template -d realtime=false` first: it needs billing",
                "accounts": "switch realtime off with ",
                "orders": "change these lines first, which need orders: tests/test_sales.py:2,3,5",
            },
        ),
        (
            "flask",
            ("src/shop/items/more_models.py", 'import sqlalchemy as sa\n\nKEY = sa.ForeignKey("orders.id")\n'),
            {
                "billing": "change these lines first, which need billing: src/shop/webhooks/handlers.py:",
                "accounts": "remove billing, webhooks, items, orders first: without accounts nobody signs in",
                "orders": "change these lines first, which need orders: src/shop/items/more_models.py:3",
            },
        ),
    ],
)
def test_what_is_needed_is_not_removed(
    framework: str, edit: tuple[str, str], sentences: dict[str, str], released_template: Path, tmp_path: Path
) -> None:
    file, text = edit
    modules = [*EXAMPLES[framework], "items", "orders"]
    project = committed(tmp_path / "shop", released_template, framework=framework, modules=modules)
    (project / file).write_text(text.lstrip("\n"))
    sentences = {**sentences, "nope": "choose one of accounts, ", "items": ""}
    for name in sentences:
        if name == "items":
            (project / "notes.txt").write_text("mine")
            sentences[name] = "commit or stash your changes first"
        else:
            commit(project)
        before = git(project, "status", "--porcelain")
        with pytest.raises(engine.Refused) as refused:
            removed(project, name)
        assert str(refused.value).startswith(sentences[name])
        assert "\n" not in str(refused.value)
        assert git(project, "status", "--porcelain") == before


@pytest.mark.update
def test_exchange_rates_do_not_come_with_a_module_that_is_added_later(released_template: Path, tmp_path: Path) -> None:
    project = committed(tmp_path / "shop", released_template, framework="flask", modules=["accounts", "billing"])
    assert answers_of(project)["rates"] is False
    before = git(project, "ls-files", "src/shop/billing")
    request = engine.Request("0.1.0", {"modules": ["accounts", "billing", "webhooks"]})
    engine.update(merge.Template(released_template, str(released_template)), project, request)
    assert (project / "src/shop/webhooks/views.py").exists()
    assert git(project, "ls-files", "src/shop/billing") == before
    commit(project)
    files = rendered_files(project)
    removed(project, "webhooks")
    undo.undo(project)
    assert rendered_files(project) == files
