"""tools/bump.py raises the pins of generated projects to what an index has: here a folder of empty wheels."""

import os
import shutil
import zipfile
from pathlib import Path

import pytest
from bump import PIN, main, pins
from support import ROOT, require

QUESTION = 'python_version:\n  choices: ["3.11", "3.13"]\n'
DEPENDENCIES = """\
  "django[argon2]{{ '~=6.1.3' if django_version == 'latest' else '~=5.2.19' }}",
{% if pages %}
  "Jinja2~=3.1.6", # what pages are rendered with
{% endif %}
  "kept~=2.4",
  "sqlalchemy[asyncio]~=2.1.9",
"""
RAISED = """\
  "django[argon2]{{ '~=6.1.5' if django_version == 'latest' else '~=5.2.20' }}",
{% if pages %}
  "Jinja2~=4.0.0", # what pages are rendered with
{% endif %}
  "kept~=2.4",
  "sqlalchemy[asyncio]~=2.1.10",
"""
# The oldest Python of a project cannot have the newest Django, nor the newest SQLAlchemy.
INDEX = {
    "django": {"5.2.20": "3.10", "6.1.5": "3.12", "7.0": "3.13"},
    "jinja2": {"3.1.7": "3.9", "4.0": "3.11", "4.1rc1": "3.11"},
    "kept": {"2.3": "3.9"},
    "sqlalchemy": {"2.1.10": "3.11", "2.2.0": "3.12"},
}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A template with pins, and an index for uv."""
    require(shutil.which("uv"), "uv is not installed")
    for path, text in {"questions/stack.yml": QUESTION, "parts/django/dependencies.toml": DEPENDENCIES}.items():
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_text(text)
    for name, versions in INDEX.items():
        folder = tmp_path / "index" / name
        folder.mkdir(parents=True)
        links = ""
        for version, python in versions.items():
            wheel = f"{name}-{version}-py3-none-any.whl"
            links += f'<a href="{wheel}" data-requires-python="&gt;={python}">{wheel}</a>\n'
            with zipfile.ZipFile(folder / wheel, "w") as file:
                about = f"{name}-{version}.dist-info"
                file.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
                file.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
                file.writestr(f"{about}/RECORD", "")
        (folder / "index.html").write_text(f"<!DOCTYPE html><html><body>\n{links}</body></html>\n")
    for variable in [name for name in os.environ if name.startswith("UV_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("UV_DEFAULT_INDEX", (tmp_path / "index").as_uri())
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path


def test_bumps_are_listed_and_written_on_demand(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = repository / "parts" / "django" / "dependencies.toml"
    assert main([], repository) == 0
    listed = capsys.readouterr().out
    assert listed.splitlines() == [
        f"parts/django/dependencies.toml: {change}"
        for change in (
            "django 6.1.3 -> 6.1.5",
            "django 5.2.19 -> 5.2.20",
            "Jinja2 3.1.6 -> 4.0.0",
            "sqlalchemy 2.1.9 -> 2.1.10",
        )
    ]
    assert file.read_text() == DEPENDENCIES
    assert main(["--write"], repository) == 0
    assert capsys.readouterr().out == listed
    assert file.read_text() == RAISED
    assert main([], repository) == 0
    assert capsys.readouterr().out == ""


def test_requirement_that_no_index_has_is_named(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "parts" / "django" / "dependencies.toml").write_text('  "nowhere~=1.0",\n')
    assert main(["--write"], repository) == 1
    assert "nowhere" in capsys.readouterr().err


def test_every_pin_of_the_template_is_found() -> None:
    folders = (ROOT / folder for folder in ("includes", "parts", "templates"))
    texts = [path.read_text(encoding="utf-8") for folder in folders for path in folder.rglob("*.toml*")]
    assert len(list(pins(ROOT))) == sum(len(PIN.findall(text)) for text in texts) > 50
