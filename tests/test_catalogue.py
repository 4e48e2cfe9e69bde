"""Modules of the catalogue bring their code when they are named, at once or later; a project's own stay its own."""

from pathlib import Path

import copier
import pytest
from support import Render, answers_of, release, render_into, rendered_files

LATER = {
    "django": ["accounts", "billing", "reporting"],
    "fastapi": ["accounts", "billing", "events"],
    "flask": ["accounts", "billing", "predictions", "webhooks"],
}


@pytest.mark.update
@pytest.mark.parametrize("framework", LATER)
def test_module_added_later_is_the_same_as_at_once(framework: str, released_template: Path, tmp_path: Path) -> None:
    """Only the migrations differ: the project writes those of a module that it adds."""
    grown = render_into(tmp_path / "grown", released_template, framework=framework, start="empty")
    release(grown, "first")
    named = LATER[framework]
    copier.run_update(grown, data={"modules": named}, defaults=True, overwrite=True, unsafe=True, quiet=True)
    fresh = render_into(tmp_path / "fresh", released_template, framework=framework, start="empty", modules=named)
    migrations = "migrations/versions/"
    found, expected = (
        {path: text for path, text in rendered_files(project).items() if not path.startswith(migrations)}
        for project in (grown, fresh)
    )
    assert [path for path in {**found, **expected} if found.get(path) != expected.get(path)] == []
    assert (fresh / "src/shop/billing").is_dir()


@pytest.mark.parametrize(
    ("framework", "name"), [("django", "reporting"), ("fastapi", "billing"), ("flask", "webhooks")]
)
def test_own_module_is_wired_but_not_rendered(framework: str, name: str, render: Render) -> None:
    project = render(framework=framework, start="accounts", modules=["accounts", name], own_modules=[name])
    listed = project / ("src/shop/config/modules.py" if framework == "django" else "src/shop/modules.py")
    assert f'"{name}"' in listed.read_text()
    assert [path for path in rendered_files(project) if name in path] == []
    assert "WEBHOOK_SECRETS" not in (project / ".env.example").read_text()
    assert answers_of(project)["own_modules"] == [name]


def test_realtime_brings_events_without_naming_it(render: Render) -> None:
    project = render(framework="fastapi")
    assert "events" not in answers_of(project)["modules"]
    assert (project / "src/shop/events/router.py").exists()
    without = render("without", framework="fastapi", realtime=False)
    assert not (without / "src/shop/events").exists()
