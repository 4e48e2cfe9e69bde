"""The real prompts, answered through a pseudo-terminal by somebody at a keyboard."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest
from support import answers_of

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminal that pexpect can drive"),
    # The child replaces itself at once, so threads that another suite left behind cannot hurt it.
    pytest.mark.filterwarnings("ignore:.*use of forkpty:DeprecationWarning"),
]

ENTER, UP, DOWN, CLEAR_LINE, INTERRUPT = "\r", "\x1b[A", "\x1b[B", "\x15", "\x03"
YES, NO = "y", "n"  # answer a yes-or-no question without Enter
# What each prompt writes once, before its question: from here on, pasted text is to be marked.
PROMPT = "\x1b\\[\\?2004h"
UNSEEN = re.compile(r"\x1b\[[\d;?]*[A-Za-z]|\r")


@contextmanager
def copier_asks(template: Path, target: Path) -> Iterator["pexpect.spawn[str]"]:
    command = ["-m", "copier", "copy", "--skip-tasks", str(template), str(target)]
    # A terminal that cannot be asked where its cursor is, and in which no line wraps.
    environment = {**os.environ, "PROMPT_TOOLKIT_NO_CPR": "1", "TERM": "xterm"}
    child = pexpect.spawn(sys.executable, command, env=environment, encoding="utf-8", dimensions=(60, 250), timeout=30)
    child.delaybeforesend = None
    try:
        yield child
    finally:
        child.close(force=True)


def answer(child: "pexpect.spawn[str]", *answers: str) -> list[str]:
    """Type `answers` into the next prompts and Enter into every other; what each of them showed."""
    keys = iter(answers)
    shown: list[str] = []
    while child.expect([PROMPT, pexpect.EOF]) == 0:
        shown.append(UNSEEN.sub("", child.before or ""))
        child.send(next(keys, ENTER))
    shown.append(UNSEEN.sub("", child.before or ""))
    child.wait()
    return shown[1:]


def test_enter_all_the_way_leads_to_a_recommended_project(probe: Path, tmp_path: Path) -> None:
    with copier_asks(probe, tmp_path / "shop") as child:
        prompts = answer(child, "Shop" + ENTER)
    assert child.exitstatus == 0
    assert len(prompts) <= 8
    assert "Which framework? Recommended: FastAPI, because\n  - An API-first service with a typed" in prompts[-2]
    assert re.search("» *FastAPI: a service with a typed contract", prompts[-2])
    recorded = answers_of(tmp_path / "shop")
    assert (recorded["project_name"], recorded["package"], recorded["framework"]) == ("Shop", "shop", "fastapi")


def test_the_longest_guided_path_takes_eight_prompts_and_shows_its_reasons(probe: Path, tmp_path: Path) -> None:
    with copier_asks(probe, tmp_path / "hooks") as child:
        prompts = answer(child, "Payment hooks" + ENTER, ENTER, DOWN + DOWN + ENTER, ENTER, ENTER, YES)
    assert child.exitstatus == 0
    assert len(prompts) == 8
    assert "Recommended: Flask, because\n  - A small integration service with a narrow scope uses Flask." in prompts[6]
    recorded = answers_of(tmp_path / "hooks")
    assert (recorded["shape"], recorded["strategy_settled"], recorded["framework"]) == ("integration", True, "flask")


def test_who_knows_the_framework_answers_four_prompts(probe: Path, tmp_path: Path) -> None:
    with copier_asks(probe, tmp_path / "shop") as child:
        prompts = answer(child, "Shop" + ENTER, NO, DOWN + ENTER)
    assert child.exitstatus == 0
    assert len(prompts) == 4
    assert "Which framework?" in prompts[2]
    assert "because" not in prompts[2]
    recorded = answers_of(tmp_path / "shop")
    assert (recorded["guided"], recorded["framework"]) == (False, "flask")


def test_a_refused_name_says_why_and_can_be_corrected(probe: Path, tmp_path: Path) -> None:
    with copier_asks(probe, tmp_path / "shop") as child:
        child.expect(PROMPT)
        child.send("Test" + ENTER)
        child.expect_exact("'test' is a module of Python's standard library; choose another package name, such as")
        child.send(CLEAR_LINE + "Shop" + ENTER)
        answer(child)
    assert child.exitstatus == 0
    assert answers_of(tmp_path / "shop")["project_name"] == "Shop"


def test_whoever_wants_to_choose_is_asked_everything(probe: Path, tmp_path: Path) -> None:
    # Each question, and what is typed.
    dialogue = {
        "What is the project called?": "Shop" + ENTER,
        "Shall a few questions lead to a framework?": NO,
        "Which framework?": UP + ENTER,
        "The remaining choices": DOWN + ENTER,
        "The import package": CLEAR_LINE + "store" + ENTER,
        "One sentence": ENTER,
        "Author": "Ada" + ENTER,
        "e-mail address": ENTER,
        "The GitHub user": ENTER,
        "The oldest Python": ENTER,
        "Which Django?": ENTER,
        "Which database": DOWN + ENTER,
        "What is the HTTP API made with": DOWN + ENTER,
        "With the example domain": NO,
        "With server-rendered pages": ENTER,
        "Which domain modules": CLEAR_LINE + "[accounts, orders]" + ENTER,
        "Which CI": DOWN + ENTER,
        "A documentation site": NO,
        "Under which licence?": DOWN + ENTER,
    }
    with copier_asks(probe, tmp_path / "shop") as child:
        prompts = answer(child, *dialogue.values())
    assert child.exitstatus == 0
    asked = zip(dialogue, prompts, strict=True)
    assert [(question, shown) for question, shown in asked if question not in shown] == []
    assert "Django 6.1 needs Python 3.12" in prompts[list(dialogue).index("Which Django?")]
    chosen = {
        "package": "store",
        "user_name": "Ada",
        "framework": "django",
        "database": "postgresql",
        "modules": ["accounts", "orders"],
        "ci": "gitlab",
        "docs": False,
        "license": "MIT",
        "django_version": "lts",
        "api": "ninja",
        "pages": False,
    }
    recorded = answers_of(tmp_path / "shop")
    assert {key: recorded[key] for key in chosen} == chosen


@pytest.mark.parametrize(
    ("framework", "keys_to_it", "library"), [("fastapi", ENTER, "SQLAdmin"), ("flask", DOWN + ENTER, "Flask-Admin")]
)
def test_it_is_asked_about_the_admin_where_there_are_users(
    framework: str, keys_to_it: str, library: str, probe: Path, tmp_path: Path
) -> None:
    for folder, example, asked in (("shop", ENTER, True), ("bare", NO, False)):
        with copier_asks(probe, tmp_path / folder) as child:
            keys = ["Shop" + ENTER, NO, keys_to_it, DOWN + ENTER, *[ENTER] * 7, example]
            prompts = answer(child, *keys)
        assert child.exitstatus == 0
        assert "With the example domain" in prompts[len(keys) - 1]
        assert any(f"With an admin ({library})" in prompt for prompt in prompts) == asked
        recorded = answers_of(tmp_path / folder)
        assert (recorded["framework"], recorded["pages"], recorded["admin_ui"]) == (framework, False, False)


def test_flask_is_asked_what_it_is_for_where_there_is_an_example(probe: Path, tmp_path: Path) -> None:
    for folder, example, asked, modules in (
        ("shop", ENTER, True, ["accounts", "predictions"]),
        ("bare", NO, False, []),
    ):
        with copier_asks(probe, tmp_path / folder) as child:
            keys = ["Shop" + ENTER, NO, DOWN + ENTER, DOWN + ENTER, *[ENTER] * 7, example, DOWN + ENTER]
            prompts = answer(child, *keys)
        assert child.exitstatus == 0
        assert "With the example domain" in prompts[len(keys) - 2]
        assert any("What is it for?" in prompt for prompt in prompts) == asked
        recorded = answers_of(tmp_path / folder)
        assert (recorded["framework"], recorded.get("purpose"), recorded["modules"]) == (
            "flask",
            "wrapper" if asked else None,
            modules,
        )


@pytest.mark.parametrize("answered", [0, 4])
def test_interrupting_at_a_prompt_leaves_nothing_behind(answered: int, probe: Path, tmp_path: Path) -> None:
    with copier_asks(probe, tmp_path / "shop") as child:
        for keys in ["Shop", "", "", ""][:answered]:
            child.expect(PROMPT)
            child.send(keys + ENTER)
        child.expect(PROMPT)
        child.send(INTERRUPT)
        child.expect_exact("Execution stopped by user")
        child.expect(pexpect.EOF)
        child.wait()
    assert child.exitstatus == 1
    assert list(tmp_path.iterdir()) == []


def test_a_destination_with_files_is_refused_at_the_first_prompt(probe: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with copier_asks(probe, tmp_path) as child:
        child.expect(PROMPT)
        child.send("Shop" + ENTER)
        child.expect_exact("is not empty, notes.txt is there; choose another folder, or add --overwrite")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
