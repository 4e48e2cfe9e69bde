"""Each preset is a complete answers file and gives a project that is set up, committed, and passes every gate."""

import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml
from plumbum import local
from pytest_copie.plugin import Copie
from servers import clean_environment, just, postgresql_database
from support import FRAMEWORKS, ROOT, git, require

# Names of the test organizations, and characters that HTML escapes or ASCII lacks.
NAME = "Acme Grace Globex & Söhne"
PRESETS = sorted((ROOT / "presets").glob("*.yml"))


def test_frameworks_have_a_minimal_and_a_complete_preset() -> None:
    expected = {f"{framework}-{size}" for framework in FRAMEWORKS for size in ("minimal", "complete")}
    assert {preset.stem for preset in PRESETS} == expected


@pytest.mark.parametrize("preset", PRESETS, ids=lambda path: path.stem)
def test_preset_gives_a_checked_project(
    preset: Path, copie: Copie, template: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    answers = yaml.safe_load(preset.read_text())
    python = subprocess.run(
        ["uv", "python", "find", "--no-python-downloads", "--no-project", f">={answers['python_version']}"],
        env=clean_environment(),
        check=False,
    )
    require(python.returncode == 0, f"Python {answers['python_version']} is not installed")
    with ExitStack() as stack:
        variables = {}
        if answers["database"] == "postgresql":
            variables["DATABASE_URL"] = stack.enter_context(postgresql_database("preset_shop"))
        # Copier runs tasks with the environment that plumbum copied at import.
        stack.enter_context(local.env(**variables))
        result = copie.copy(extra_answers={"project_name": NAME, **answers}, template_dir=template)
        assert result.exception is None
        assert result.project_dir is not None
        just(result.project_dir, "check", **variables)
    printed = capfd.readouterr().out
    assert "FAILED" not in printed, printed
    assert git(result.project_dir, "status", "--porcelain") == ""
    recorded = yaml.safe_load((result.project_dir / ".copier-answers.yml").read_text())
    assert {key: recorded[key] for key in answers} == answers
    assert (result.project_dir / "zensical.toml").exists() == answers["docs"]
    assert (result.project_dir / "LICENSE").exists() == (answers["license"] != "none")
