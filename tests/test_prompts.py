"""The real prompts, answered through a pseudo-terminal."""

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
    # The child calls exec at once, so threads left by other suites do no harm.
    pytest.mark.filterwarnings("ignore:.*use of forkpty:DeprecationWarning"),
]

ENTER, UP, DOWN, CLEAR_LINE, INTERRUPT = "\r", "\x1b[A", "\x1b[B", "\x15", "\x03"
YES, NO = "y", "n"  # answer a yes-or-no question without Enter
# Each prompt switches on bracketed paste once, before its question.
PROMPT = "\x1b\\[\\?2004h"
CONTROL_SEQUENCE = re.compile(r"\x1b\[[\d;?]*[A-Za-z]|\r")


@contextmanager
def copier_asks(template: Path, target: Path) -> Iterator["pexpect.spawn[str]"]:
    command = ["-m", "copier", "copy", "--skip-tasks", str(template), str(target)]
    # No cursor position requests, and wide enough that no line wraps.
    environment = {**os.environ, "PROMPT_TOOLKIT_NO_CPR": "1", "TERM": "xterm"}
    child = pexpect.spawn(sys.executable, command, env=environment, encoding="utf-8", dimensions=(60, 250), timeout=30)
    child.delaybeforesend = None
    try:
        yield child
    finally:
        child.close(force=True)


def answer(child: "pexpect.spawn[str]", *answers: str) -> list[str]:
    """Type `answers` into the next prompts and Enter into all others. Return what each prompt showed."""
    keys = iter(answers)
    shown: list[str] = []
    while child.expect([PROMPT, pexpect.EOF]) == 0:
        shown.append(CONTROL_SEQUENCE.sub("", child.before or ""))
        child.send(next(keys, ENTER))
    shown.append(CONTROL_SEQUENCE.sub("", child.before or ""))
    child.wait()
    return shown[1:]


def test_pressing_enter_gives_the_recommended_project(probe: Path, tmp_path: Path) -> None:
    with copier_asks(probe, tmp_path / "shop") as child:
        prompts = answer(child, "Shop" + ENTER)
    assert child.exitstatus == 0
    assert len(prompts) <= 8
    assert "Which framework? Recommended: FastAPI, because\n  - An API-first service with a typed" in prompts[-2]
    assert re.search("» *FastAPI: an async service with a typed contract", prompts[-2])
    recorded = answers_of(tmp_path / "shop")
    assert (recorded["project_name"], recorded["package"], recorded["framework"]) == ("Shop", "shop", "fastapi")


def test_longest_guided_path_takes_eight_prompts_and_shows_reasons(probe: Path, tmp_path: Path) -> None:
    with copier_asks(probe, tmp_path / "hooks") as child:
        prompts = answer(child, "Payment hooks" + ENTER, ENTER, DOWN + DOWN + ENTER, ENTER, ENTER, YES)
    assert child.exitstatus == 0
    assert len(prompts) == 8
    assert "Recommended: Flask, because\n  - A small integration service with a narrow scope fits Flask." in prompts[6]
    recorded = answers_of(tmp_path / "hooks")
    assert (recorded["shape"], recorded["strategy_settled"], recorded["framework"]) == ("integration", True, "flask")


def test_known_framework_takes_four_prompts(probe: Path, tmp_path: Path) -> None:
    with copier_asks(probe, tmp_path / "shop") as child:
        prompts = answer(child, "Shop" + ENTER, NO, DOWN + ENTER)
    assert child.exitstatus == 0
    assert len(prompts) == 4
    assert "Which framework?" in prompts[2]
    assert "because" not in prompts[2]
    recorded = answers_of(tmp_path / "shop")
    assert (recorded["guided"], recorded["framework"]) == (False, "flask")


def test_invalid_name_can_be_corrected(probe: Path, tmp_path: Path) -> None:
    with copier_asks(probe, tmp_path / "shop") as child:
        child.expect(PROMPT)
        child.send("Test" + ENTER)
        child.expect_exact("try 'test_app': 'test' is a module of Python's standard library")
        child.send(CLEAR_LINE + "Shop" + ENTER)
        answer(child)
    assert child.exitstatus == 0
    assert answers_of(tmp_path / "shop")["project_name"] == "Shop"


def test_detail_choose_asks_every_question(probe: Path, tmp_path: Path) -> None:
    # The question and the keys to type.
    dialogue = {
        "What is the project called?": "Shop" + ENTER,
        "Do you want help choosing the framework?": NO,
        "Which framework?": UP + ENTER,
        "Use the recommended settings": DOWN + ENTER,
        "What do you want to start with?": DOWN + ENTER,
        "Which domain modules": CLEAR_LINE + "[accounts, orders]" + ENTER,
        "What is the import package": CLEAR_LINE + "store" + ENTER,
        "What is it, in one sentence?": ENTER,
        "Who is the author?": "Ada" + ENTER,
        "e-mail address": ENTER,
        "Which GitHub user": ENTER,
        "Which Python version": ENTER,
        "Which Django version?": ENTER,
        "Which database": DOWN + ENTER,
        "Which library builds the HTTP API?": DOWN + ENTER,
        "Do you want server-rendered pages": ENTER,
        "report unhandled errors to Sentry": YES,
        "Which CI": DOWN + ENTER,
        "Do you want a documentation site?": NO,
        "Which licence?": DOWN + ENTER,
    }
    with copier_asks(probe, tmp_path / "shop") as child:
        prompts = answer(child, *dialogue.values())
    assert child.exitstatus == 0
    asked = zip(dialogue, prompts, strict=True)
    assert [(question, shown) for question, shown in asked if question not in shown] == []
    assert "use python_version 3.12 or newer, or lts" in prompts[list(dialogue).index("Which Django version?")]
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
        "sentry": True,
    }
    recorded = answers_of(tmp_path / "shop")
    assert {key: recorded[key] for key in chosen} == chosen


@pytest.mark.parametrize(
    ("framework", "keys_to_it", "library"), [("fastapi", ENTER, "SQLAdmin"), ("flask", DOWN + ENTER, "plain pages")]
)
def test_admin_is_asked_only_with_users(
    framework: str, keys_to_it: str, library: str, probe: Path, tmp_path: Path
) -> None:
    for folder, start, asked in (("shop", DOWN + ENTER, True), ("bare", UP + ENTER, False)):
        with copier_asks(probe, tmp_path / folder) as child:
            prompts = answer(child, "Shop" + ENTER, NO, keys_to_it, DOWN + ENTER, start)
        assert child.exitstatus == 0
        assert "What do you want to start with?" in prompts[4]
        assert any(f"Do you want an admin for staff ({library})?" in prompt for prompt in prompts) == asked
        recorded = answers_of(tmp_path / folder)
        assert (recorded["framework"], recorded["pages"], recorded["admin_ui"]) == (framework, False, False)


def test_flask_purpose_is_asked_only_with_the_example(probe: Path, tmp_path: Path) -> None:
    for folder, start, asked, modules in (
        ("shop", [ENTER, DOWN + ENTER], True, ["accounts", "predictions"]),
        ("bare", [UP + ENTER], False, []),
    ):
        with copier_asks(probe, tmp_path / folder) as child:
            prompts = answer(child, "Shop" + ENTER, NO, DOWN + ENTER, DOWN + ENTER, *start)
        assert child.exitstatus == 0
        assert "What do you want to start with?" in prompts[4]
        assert any("What is it for?" in prompt for prompt in prompts) == asked
        recorded = answers_of(tmp_path / folder)
        assert (recorded["framework"], recorded.get("purpose"), recorded["modules"]) == (
            "flask",
            "wrapper" if asked else None,
            modules,
        )


@pytest.mark.parametrize("answered", [0, 4])
def test_interrupt_at_a_prompt_writes_nothing(answered: int, probe: Path, tmp_path: Path) -> None:
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


def test_destination_with_files_is_rejected_at_the_first_prompt(probe: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with copier_asks(probe, tmp_path) as child:
        child.expect(PROMPT)
        child.send("Shop" + ENTER)
        child.expect_exact("use an empty folder, or add --overwrite: ")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
