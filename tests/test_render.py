"""Projects rendered from pairwise combinations of all answers are valid, formatted and free of lint."""

import ast
import itertools
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import branches
import pytest
import yaml
from covertable import make  # type: ignore[import-untyped]
from support import (
    FRAMEWORKS,
    ROOT,
    Landed,
    Render,
    answers_of,
    git,
    landings_noted,
    naming_rules,
    render_into,
    rendered_files,
)
from where import Template

LONG_PACKAGE = "a_package_whose_name_takes_40_characters"
MANY_MODULES = ["v2", "news", "boxes", "addresses", "categories", "exceptions", "order_lines", "stock"]
MANY_MODULES += ["a_long_module_of_30_characters"]

QUESTIONS: dict[str, dict[str, Any]] = {}
for file in sorted((ROOT / "questions").glob("[4-7]-*.yml")):
    QUESTIONS |= yaml.safe_load(file.read_text(encoding="utf-8"))

# Answers to combine with each other that are text, or that only make sense together.
TOGETHER: dict[str, list[dict[str, Any]]] = {
    "framework": [
        {"framework": "django", "django_version": "latest"},
        {"framework": "django", "django_version": "lts", "api": "ninja"},
        {"framework": "django", "django_version": "lts", "api": "none"},
        {"framework": "fastapi"},
        {"framework": "fastapi", "admin_ui": True},
        {"framework": "flask"},
        {"framework": "flask", "admin_ui": True},
    ],
    "guided": [
        {"guided": False},
        {"shape": "product", "workload": "light", "admin_needed": False, "boundaries_real": False},
        {"shape": "api", "workload": "concurrent_io"},
        {"shape": "integration", "workload": "light", "strategy_settled": True},
    ],
    "modules": [
        {},
        {"modules": ["accounts", "billing", "invoices"]},
        {"modules": []},
        {"modules": ["accounts", *MANY_MODULES]},
        {"start": "accounts", "modules": ["accounts"]},
        {"start": "empty", "modules": ["orders"]},
    ],
    "name": [
        {"project_name": "Shop"},
        {"project_name": "Ötzi's Läden & Söhne", "description": "Ötzi’s Brötchen – für jeden."},  # noqa: RUF001
        {"project_name": "Shop", "package": LONG_PACKAGE, "description": "very " * 39 + "long."},
        {"project_name": "Q", "description": "no full stop"},
    ],
    "author": [
        {},
        {"user_name": "Zoë O'Hara", "user_email": "zoe@example.com", "github_user": "zoe-o"},
        {"user_name": "Ada"},
        {"user_email": "ada@example.com"},
    ],
}


def offered(question: dict[str, Any]) -> list[Any]:
    """Return the values of a question: its choices, or yes and no."""
    choices = question.get("choices", [])
    named = choices.values() if isinstance(choices, dict) else choices
    values = [each["value"] if isinstance(each, dict) else each for each in named]
    is_asked = question.get("when", True) is not False
    return values or [True, False] * (question["type"] == "bool" and is_asked)


def factors() -> dict[str, list[dict[str, Any]]]:
    """Return the answers to combine: those above, and every value of each other question."""
    answered = {name for values in TOGETHER.values() for answers in values for name in answers}
    asked = {name: offered(question) for name, question in QUESTIONS.items() if name not in answered}
    return {**{name: [{name: value} for value in values] for name, values in asked.items() if values}, **TOGETHER}


def pairwise() -> Iterator[dict[str, Any]]:
    """Yield answers in which each pair of values of two factors occurs at least once, and some more."""
    combined = factors()
    positions = {factor: list(range(len(values))) for factor, values in combined.items()}
    too_old_for_django = {
        "operator": "or",
        "conditions": [{"operator": "ne", "left": factor, "value": 0} for factor in ("framework", "python_version")],
    }
    for row in make(positions, constraints=[too_old_for_django]):
        answers: dict[str, Any] = {}
        for factor, position in row.items():
            answers |= combined[factor][position]
        modules = answers.get("modules", ["accounts", "billing"])
        # The admin needs users; only FastAPI has streams, which need invoices.
        if "accounts" not in modules:
            answers.pop("admin_ui", None)
        if answers["framework"] != "fastapi" or not {"accounts", "billing"} <= {*modules}:
            answers.pop("realtime", None)
        yield answers
    # Combinations of three answers that the templates distinguish.
    yield {"framework": "django", "api": "ninja", "django_version": "latest", "python_version": "3.13"}
    for start in ("example", "accounts", "empty"):
        yield {"framework": "django", "api": "none", "pages": False, "start": start, "project_name": "Shop"}
        yield {"framework": "flask", "pages": True, "start": start, "project_name": "Shop"}
    for answers in ({"admin_ui": True}, {"admin_ui": False}, {"realtime": False}):
        yield {"framework": "fastapi", "pages": False, "project_name": "Shop", **answers}
    for purpose in ("webhook", "wrapper", "tool"):
        for answers in ({}, {"admin_ui": True}):
            yield {"framework": "flask", "purpose": purpose, "pages": False, "project_name": "Shop", **answers}


class Rendered:
    """Projects from all pairwise answers in one folder, and the template conditions that were not covered."""

    def __init__(self, template: Path, root: Path) -> None:
        self.root = root
        with branches.noted(), landings_noted() as self.landed:
            for number, answers in enumerate(pairwise()):
                # A path of two templates is overwritten, and reported by its own test.
                render_into(root / f"{number}-{answers['framework']}", template, overwrite=True, **answers)
        self.never_seen = branches.never_seen()

    def files(self, *suffixes: str) -> Iterator[tuple[str, str]]:
        """Yield path and text of every file, or of the files with one of `suffixes`."""
        for path in sorted(self.root.rglob("*")):
            if path.is_file() and (not suffixes or path.suffix in suffixes):
                yield path.relative_to(self.root).as_posix(), path.read_bytes().decode()


@pytest.fixture(scope="module")
def rendered(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    return Rendered(template, tmp_path_factory.mktemp("pairwise"))


def test_every_branch_is_rendered(rendered: Rendered) -> None:
    assert rendered.never_seen == []


def test_every_answer_is_rendered(rendered: Rendered) -> None:
    projects = {each.project: each.answers for each in rendered.landed}.values()
    missing = {}
    for name, question in QUESTIONS.items():
        given = [answers[name] for answers in projects if name in answers]
        if left := [value for value in offered(question) if value not in given]:
            missing[name] = left
    assert missing == {}


def test_no_template_syntax_remains(rendered: Rendered) -> None:
    questions = [yaml.safe_load(path.read_text()) for path in (ROOT / "questions").glob("*.yml")]
    names = "|".join(["_", "module", *itertools.chain.from_iterable(questions)])
    # GitHub, just and Django templates use {{ too, but not with the names of our questions.
    left = re.compile(rf"(?<!\$)\{{\{{-? ?(?:{names})\b.*|\{{%.*|\{{#.*")
    # Files with Django templates.
    django = re.compile(r"/templates/")
    found = {
        path: match.group()
        for path, text in rendered.files()
        if not django.search(path) and (match := left.search(text))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("suffixes", "parse"),
    [
        ((".toml",), tomllib.loads),
        ((".yml", ".yaml"), yaml.safe_load),
        ((".json",), json.loads),
        ((".py",), ast.parse),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_files_are_valid(suffixes: tuple[str, ...], parse: Callable[[str], object], rendered: Rendered) -> None:
    for path, text in rendered.files(*suffixes):
        try:
            parse(text)
        except (ValueError, SyntaxError, yaml.YAMLError) as problem:
            pytest.fail(f"{path}: {problem}")


@pytest.mark.parametrize("command", ["check", "format --check"])
def test_ruff_passes(command: str, rendered: Rendered) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "ruff", *command.split(), "--quiet", "--no-cache", "--output-format=concise", "."],
        cwd=rendered.root,
        capture_output=True,
        text=True,
        check=False,
    )
    # Report the same complaint of several projects once.
    complaints = {re.sub(r"^\d+-|(?<=/src/)\w+/", "", line) for line in result.stdout.splitlines()}
    assert result.returncode == 0, "\n".join([*sorted(complaints), result.stderr])


def test_files_have_no_trailing_whitespace(rendered: Rendered) -> None:
    untidy = [
        path for path, text in rendered.files() if re.search(r"[ \t]$|\r|\n\n\Z|[^\n]\Z", text, flags=re.MULTILINE)
    ]
    assert untidy == []


def test_only_init_files_are_empty(rendered: Rendered) -> None:
    assert [path for path, text in rendered.files() if not text and not path.endswith("/__init__.py")] == []
    assert [path for path in rendered.root.rglob("*") if path.is_dir() and not any(path.iterdir())] == []


def several_sources(landed: Iterable[Landed]) -> dict[str, list[str]]:
    """Return the paths of a project to which more than one template was rendered, whatever the case of letters."""
    sources: dict[tuple[Path, str], set[str]] = {}
    for each in landed:
        sources.setdefault((each.project, each.path.lower()), set()).add(each.template)
    return {path: sorted(templates) for (_, path), templates in sources.items() if len(templates) > 1}


def test_templates_do_not_render_the_same_path(rendered: Rendered) -> None:
    assert several_sources(rendered.landed) == {}


def test_templates_of_the_same_path_are_named(rendered: Rendered, template: Path, tmp_path: Path) -> None:
    broken = Path(shutil.copytree(template, tmp_path / "template"))
    first = next(each for each in rendered.landed if each.path == "src/shop/accounts/models.py")
    second = "templates/src/{{ package }}/accounts/Models.py.jinja"
    (broken / second).parent.mkdir(parents=True)
    (broken / second).write_text("# the same path, spelled differently\n")
    with landings_noted() as landed:
        render_into(tmp_path / "shop", broken, overwrite=True, framework=first.answers["framework"])
    assert several_sources(landed) == {"src/shop/accounts/models.py": sorted([first.template, second])}


def test_tools_where_knows_what_is_rendered(rendered: Rendered, template: Path) -> None:
    """Its paths and conditions are those of every project, apart from the names of modules."""
    known = Template(template)
    by_project: dict[Path, list[Landed]] = {}
    for each in rendered.landed:
        by_project.setdefault(each.project, []).append(each)
    for landed in by_project.values():
        answers = known.values(landed[0].answers)
        expected = {
            (landing.template, landing.path.replace("<package>", answers["package"]))
            for landing in known.landings
            if "<module>" not in landing.path and known.holds(landing, answers)
        }
        assert {(each.template, each.path) for each in landed if "{% yield" not in each.template} == expected


def test_template_names_are_valid_on_windows() -> None:
    names = [path.name for path in (ROOT / "templates").rglob("*")]
    assert [name for name in names if re.search(r'[<>:"|?*\\]|[ .]$', name)] == []


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_project_stays_small(framework: str, render: Render) -> None:
    project = render(framework=framework, docs=False, start="empty")
    files = [path.relative_to(project).as_posix() for path in project.rglob("*") if path.is_file()]
    written = ["uv.lock", "docs/openapi.json"]
    assert len(files + written) <= {"flask": 47, "django": 92}.get(framework, 50), sorted(files)


def test_flask_stays_small_with_its_example(render: Render) -> None:
    project = render(framework="flask")
    dependencies = tomllib.loads((project / "pyproject.toml").read_text())["project"]["dependencies"]
    assert len(dependencies) <= 12, dependencies
    made = [line for line in (project / "src/shop/extensions.py").read_text().splitlines() if re.match(r"\w+ = ", line)]
    assert len(made) <= 5, made
    with_admin = render("with_admin", framework="flask", admin_ui=True)
    more = tomllib.loads((with_admin / "pyproject.toml").read_text())["project"]["dependencies"]
    assert [each.partition("~")[0] for each in more if each not in dependencies] == []


@pytest.mark.parametrize(
    ("purpose", "modules", "files", "never"),
    [
        ("webhook", ["accounts", "billing", "webhooks"], ["core/webhooks.py", "webhooks/worker.py"], r"[Pp]redict"),
        ("wrapper", ["accounts", "predictions"], ["predictions/model.py"], r"(?i)webhook|billing|\bseed\b|just work"),
        ("tool", ["accounts", "billing"], ["billing/commands.py"], r"(?i)webhook|predict|just work"),
    ],
)
def test_flask_has_only_the_modules_of_its_purpose(
    purpose: str, modules: list[str], files: list[str], never: str, render: Render
) -> None:
    project = render(framework="flask", purpose=purpose, pages=False, detail="choose")
    assert answers_of(project)["modules"] == modules
    assert [path for path in files if not (project / "src/shop" / path).exists()] == []
    # The secrets and the exceptions of all projects.
    general = {"tools/env.py", "tests/accounts/test_tenancy.py"}
    texts = {path: text.decode() for path, text in rendered_files(project).items() if path not in general}
    assert {path for path, text in texts.items() if re.search(never, path) or re.search(never, text)} == set()


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_module_names_cannot_clash_with_existing_packages(framework: str, render: Render) -> None:
    project = render(framework=framework, modules=[])
    package = answers_of(project)["package"]
    there = {path.stem for folder in (f"src/{package}", "tests") for path in (project / folder).iterdir()}
    names = {name for name in there if re.fullmatch(r"[a-z][a-z0-9_]*", name)}
    rules = naming_rules()
    assert {name for name in names if not rules.modules_problem([name], framework).strip()} <= {"accounts"}


@pytest.mark.parametrize("python_version", ["3.11", "3.13"])
def test_git_and_uv_are_told_the_line_ends_and_the_python(python_version: str, render: Render) -> None:
    project = render(framework="fastapi", python_version=python_version)
    assert (project / ".python-version").read_text() == f"{python_version}\n"
    git(project, "init", "--quiet")
    for path in ("pyproject.toml", "src/shop/main.py", "docs/openapi.json"):
        assert git(project, "check-attr", "text", "eol", "--", path).split() == [
            *(f"{path}:", "text:", "auto"),
            *(f"{path}:", "eol:", "lf"),
        ]
