"""Generated projects stay small, and an engineer who searches for a term finds the line that implements it."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from support import FRAMEWORKS, Render, answers_of, render_into

# Lines of Python, as `wc -l` counts them: the spine of the default project, and all of a project with one module of
# the user's own.
SPINE = {"django": 1700, "fastapi": 1700, "flask": 1500}
# Capabilities count extra: mail with its settings, what Flask does after the commit, and signed webhooks.
CAPABILITIES = ("background.py", "mail.py", "webhooks.py")
CAPABILITY_SETTINGS = re.compile(r"^class MailSettings\b.*?(?=^class )", re.MULTILINE | re.DOTALL)
# A module may have 220 lines of source and 120 of tests; with an admin that writes, 330 and 150.
ONE_MODULE = {"django": 6750, "fastapi": 2120, "flask": 1900}
# What an engineer greps for, and the code that stands within a few lines of a hit.
TERMS = {
    r"idle timeout|keep-?alive": r"timeout|keep_?alive",
    r"pool size": r"pool_size|max_size",
    r"rate limit": r"failures|attempts|throttle",
    r"keyset": r"order_by|ordering|[Cc]ursor",
    r"tenant": r"organization_id|organization=",
    r"rotation": r"secrets|refresh",
}
NEAR = 24


def lines(files: Iterable[Path]) -> int:
    return sum(path.read_bytes().count(b"\n") for path in files)


def python_files(folder: Path) -> Iterator[Path]:
    return folder.rglob("*.py") if folder.is_dir() else iter(())


@pytest.fixture(scope="module", params=FRAMEWORKS)
def default_project(request: pytest.FixtureRequest, template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render_into(tmp_path_factory.mktemp("budgets") / "project", template, framework=request.param)


def test_spine_of_the_default_project_is_within_its_budget(default_project: Path) -> None:
    places = ("src/shop/core", "src/shop/config", "tools", "tests/core")
    counted = {
        place: lines(path for path in python_files(default_project / place) if path.name not in CAPABILITIES)
        for place in places
    }
    settings = (default_project / "src/shop/core/settings.py").read_text(encoding="utf-8")
    counted["src/shop/core"] -= sum(found.count("\n") for found in CAPABILITY_SETTINGS.findall(settings))
    assert sum(counted.values()) <= SPINE[answers_of(default_project)["framework"]], counted


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_project_with_one_module_is_within_its_budget(framework: str, render: Render) -> None:
    project = render(framework=framework, start="empty", modules=["items"])
    counted = {place.name: lines(python_files(place)) for place in project.iterdir() if place.is_dir()}
    counted["."] = lines(project.glob("*.py"))
    assert sum(counted.values()) <= ONE_MODULE[framework], counted


def test_search_for_a_term_finds_the_code(default_project: Path) -> None:
    texts = [path.read_text(encoding="utf-8").splitlines() for path in python_files(default_project / "src")]
    missing = [term for term, code in TERMS.items() if not any(implements(text, term, code) for text in texts)]
    assert missing == []


def implements(text: list[str], term: str, code: str) -> bool:
    """Whether a line has the term, and code for it is near."""
    hits = [number for number, line in enumerate(text) if re.search(term, line, re.IGNORECASE)]
    return any(re.search(code, line) for hit in hits for line in text[max(hit - NEAR, 0) : hit + NEAR])
