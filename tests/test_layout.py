"""Overlays: one level, first in the path, and a name that says whose files it holds and where they land."""

import re

import pytest
from support import FRAMEWORKS, ROOT
from where import Landing, Template

OWNERS = (*FRAMEWORKS, "sqlalchemy", "base")
OVERLAY = re.compile(r"templates/\{\{ at\.(\w+) \}\}/.+")


@pytest.fixture(scope="module")
def landings() -> list[Landing]:
    return Template().landings


def test_name_of_an_overlay_says_whose_files_it_holds_and_where_they_land(landings: list[Landing]) -> None:
    wrong = set()
    for landing in landings:
        overlay = OVERLAY.fullmatch(landing.template)
        if overlay:
            name = overlay[1]
            inside = landing.path.startswith("src/<package>/"), landing.path.startswith("tests/")
            expected = (False, True) if name.endswith("_tests") else (not name.endswith("_root"), False)
            if name.split("_")[0] not in OWNERS or (inside != expected and not name.endswith("_root")):
                wrong.add(name)
    assert wrong == set()


def test_every_overlay_has_a_folder_and_a_target() -> None:
    folders = {path.name for path in (ROOT / "templates").iterdir() if path.name.startswith("{{ at.")}
    names = re.findall(r"^ *(\w+):", Template().computed["at"]["default"], flags=re.MULTILINE)
    targets = {f"{{{{ at.{name} }}}}" for name in names}
    assert folders == targets


def test_architecture_lists_every_fragment_name() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"`([\w.]+)`", text[text.index("| fragments |") : text.index("## From a rendered file")]))
    assert {path.name for path in (ROOT / "parts").rglob("*") if path.is_file()} - listed == set()
