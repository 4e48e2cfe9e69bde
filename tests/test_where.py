"""tools/where.py names the template of a rendered path, and its condition."""

import random
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support import FRAMEWORKS, ROOT, landings_noted, render_into
from where import Landing, Template, main


@pytest.fixture(scope="module")
def known() -> Template:
    return Template()


@pytest.fixture(scope="module", params=FRAMEWORKS)
def project(request: pytest.FixtureRequest, template: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A default project with a scaffold, the template of each of its files, and its answers."""
    folder = tmp_path_factory.mktemp("where") / "shop"
    modules: dict[str, Any] = {} if request.param == "django" else {"modules": ["accounts", "billing", "items"]}
    with landings_noted() as landed:
        render_into(folder, template, framework=request.param, **modules)
    return {"folder": folder, "sources": {each.path: each.template for each in landed}, "answers": landed[0].answers}


def test_every_file_has_exactly_one_template(known: Template, project: dict[str, Any]) -> None:
    found = {path: [each.template for each in known.find(path, project["answers"])] for path in project["sources"]}
    assert found == {path: [source] for path, source in project["sources"].items()}


def test_recorded_answers_are_enough(
    known: Template, project: dict[str, Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a project, its answers file says which of several templates it was."""
    paths = [path for path in project["sources"] if path.startswith("src/")]
    monkeypatch.chdir(project["folder"])
    assert main(paths) == 0
    printed = capsys.readouterr().out.splitlines()
    assert [line for line in printed if line.startswith("  templates/")] == [
        f"  {project['sources'][path]}" for path in paths
    ]
    assert [line for line in printed if line.startswith("src/")] == paths
    assert main([str(project["folder"] / f"{paths[0]}:12")]) == 0


def matches(line: str, text: str) -> bool:
    """Return whether a line of a template can be rendered to `line`."""
    literal = [re.escape(part) for part in re.split(r"\{\{.*?\}\}|\{%.*?%\}", text.strip())]
    return any(literal) and re.fullmatch(".*".join(literal), line.strip()) is not None


def test_random_lines_are_in_the_template_or_its_includes(known: Template, project: dict[str, Any]) -> None:
    chosen = random.Random(7)  # noqa: S311 (a sample)
    files = sorted(path for path in project["sources"] if path.endswith((".py", ".toml", ".md", "justfile")))
    missing = []
    for path in chosen.sample(files, 20):
        (landing,) = known.find(path, project["answers"])
        sources = source_lines(known, landing, project["answers"])
        lines = [line for line in (project["folder"] / path).read_text(encoding="utf-8").splitlines() if line.strip()]
        sample = chosen.sample(lines, min(len(lines), 5))
        missing += [f"{path}: {line}" for line in sample if not any(matches(line, text) for text in sources)]
    # A line may be nothing but an answer, such as the description.
    assert len(missing) <= 3, missing


def source_lines(known: Template, landing: Landing, answers: dict[str, Any]) -> list[str]:
    files = [landing.template, *known.includes(landing, answers)]
    return [line for file in files for line in (ROOT / file).read_text(encoding="utf-8").splitlines()]


def test_fragments_are_those_of_the_project(known: Template, project: dict[str, Any]) -> None:
    (landing,) = known.find("pyproject.toml", project["answers"])
    folders = {Path(name).parts[1] for name in known.includes(landing, project["answers"])}
    framework = project["answers"]["framework"]
    assert framework in folders
    assert not {folder for folder in folders if folder.split("_")[0] in {*FRAMEWORKS} - {framework}}


def test_unknown_path_is_one_sentence() -> None:
    command = [sys.executable, str(ROOT / "tools" / "where.py"), "src/shop/nowhere.py"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "no template renders src/shop/nowhere.py\n"


def test_known_paths_are_printed_before_an_unknown_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nowhere.py", "pyproject.toml", ".copier-answers.yml"]) == 1
    printed = capsys.readouterr()
    assert printed.err == "no template renders nowhere.py\n"
    lines = printed.out.splitlines()
    assert lines[:3] == ["pyproject.toml", "  templates/pyproject.toml.jinja", "    always"]
    assert lines[-2:] == ["  templates/{{ _copier_conf.answers_file }}.jinja", "    always"]
    for include in (line.split()[1] for line in lines if line.startswith("    includes ")):
        assert list(ROOT.glob(include)), include


def test_condition_is_in_words_of_the_answers(known: Template, capsys: pytest.CaptureFixture[str]) -> None:
    (views,) = known.find("src/shop/billing/views.py")
    assert known.condition(views) == "framework == 'flask' and 'billing' in modules"
    assert main(["src/shop/orders/__init__.py"]) == 0
    printed = capsys.readouterr().out
    conditions = [line for line in printed.splitlines() if line.endswith(" and 'orders' in modules")]
    for framework in FRAMEWORKS:
        assert any(line.startswith(f"    if framework == '{framework}' and ") for line in conditions)


def test_all_lists_every_template(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--all"]) == 0
    listed = {line for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")}
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / "templates").rglob("*") if path.is_file()}
    assert listed == files


@pytest.mark.parametrize("arguments", [[], ["--all", "README.md"]])
def test_paths_or_all_are_needed(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert "give paths, or --all" in capsys.readouterr().err
