"""The hooks: set-up after a copy, failing steps, and the lock file after an update."""

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import copier
import pexpect
import plumbum
import pytest
from servers import clean_environment
from support import ROOT, Render, answers_of, git, release, rendered_files

SETUP, TEST, SEED = "uv run just setup", "uv run just test", "uv run just seed"
STEPS = ["repository", "dependencies", "settings", "database", "openapi", "smoke tests", "demo data", "first commit"]
NEXT = ["uv run just dev", "uv run just check", "uv run just"]
STUB = """#!/bin/sh
echo "$* $DATABASE_URL" >> "{calls}"
case "$*" in
  $UV_FAILS) seq 100; echo the reason >&2; exit 1 ;;
  $UV_BLOCKS) echo > "{started}"; exec sleep 60 ;;
esac
"""


@dataclass
class Machine:
    """A PATH with git and a stub of uv. UV_FAILS and UV_BLOCKS are patterns of arguments that fail or block."""

    root: Path

    @property
    def path(self) -> Path:
        return self.root / "bin"

    @property
    def started(self) -> Path:
        return self.root / "started"

    def build(self) -> None:
        self.path.mkdir()
        (self.path / "git").symlink_to(str(shutil.which("git")))
        for name in ("uv", "uvx"):
            (self.path / name).write_text(STUB.format(calls=self.root / "calls", started=self.started))
            (self.path / name).chmod(0o755)
        os.mkfifo(self.started)

    def environment(self, **variables: str) -> dict[str, str]:
        return clean_environment(**{"PATH": f"{self.path}{os.pathsep}{os.environ['PATH']}", **variables})

    def calls(self) -> list[str]:
        """Return the arguments of each call of uv, with DATABASE_URL."""
        log = self.root / "calls"
        return [line.strip() for line in log.read_text().splitlines()] if log.exists() else []

    def copy_command(self, template: Path | str, target: Path | str, *options: str) -> list[str]:
        answers = ["--defaults", "-d", "project_name=Shop", "-d", "framework=flask"]
        return [sys.executable, "-m", "copier", "copy", "--trust", *answers, *options, str(template), str(target)]

    def run(self, command: list[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = self.environment(**variables)
        return subprocess.run(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )

    def hook(self, project: Path, **variables: str) -> str:
        """Run the hook on a rendered project and return its output."""
        result = self.run(hook_command(project), project, **variables)
        assert (result.returncode, result.stderr) == (0, "")
        return result.stdout


def hook_command(project: Path) -> list[str]:
    arguments = [".copier-answers.yml", project.name]
    return [sys.executable, str(ROOT / "hooks" / "after_copy.py"), *arguments]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    if os.name != "posix":
        pytest.skip("the stub of uv is a shell script")
    machine = Machine(tmp_path / "machine")
    machine.root.mkdir()
    machine.build()
    return machine


def steps(output: str) -> dict[str, str]:
    """Return the status of each step."""
    lines = re.findall(r"^  (ok|FAILED|skipped|deferred) +([a-z ]+?) +\d+\.\d s(?:  .*)?$", output, flags=re.MULTILINE)
    return {name: status for status, name in lines}


def resume(output: str) -> list[str]:
    """Return the commands to run next, without their comments."""
    block = re.search(r"(?:To resume|next):\n((?:  .*\n)+)", output)
    assert block, output
    return [re.split(r" {3,}", line.strip())[0] for line in block[1].splitlines()]


def test_copy_gives_a_checked_and_committed_project(machine: Machine, released_template: Path, tmp_path: Path) -> None:
    result = machine.run(machine.copy_command(released_template, "shop"), tmp_path)
    assert result.returncode == 0, result.stderr
    assert steps(result.stdout) == dict.fromkeys(STEPS, "ok")
    just = ["_env", "_database", "openapi", "test -q tests/core", "seed"]
    assert machine.calls() == ["sync", *(f"run just {recipe}" for recipe in just)]
    assert resume(result.stdout) == ["cd shop", *NEXT]
    assert "Sign in as ada@example.com at /docs; the password is SEED_PASSWORD in .env.\n" in result.stdout
    assert len(result.stdout.splitlines()) <= 22
    project = tmp_path / "shop"
    logged = git(project, "log", "--format=%an: %s")
    assert logged == "Test: Start Shop from python-backend-template 0.1.0\n"
    assert git(project, "status", "--porcelain", "--branch") == "## main\n"


@pytest.mark.parametrize(("fails", "unfinished", "commands"), [
    ("sync", ["dependencies", "settings", "database", "openapi", "smoke tests", "demo data"], [SETUP, TEST, SEED]),
    ("run just _database", ["database", "demo data"], [SETUP, SEED]),
    ("run just openapi", ["openapi"], [SETUP]),
    ("run just test*", ["smoke tests"], [TEST]),
    ("run just seed", ["demo data"], [SEED]),
])  # fmt: skip
def test_failing_step_skips_only_dependent_steps(
    fails: str, unfinished: list[str], commands: list[str], machine: Machine, render: Render
) -> None:
    project = render(framework="flask")
    output = machine.hook(project, UV_FAILS=fails)
    failed, *skipped = unfinished
    assert steps(output) == dict.fromkeys(STEPS, "ok") | {failed: "FAILED"} | dict.fromkeys(skipped, "skipped")
    assert output.count("    | ") == 25
    assert "    | the reason\n" in output
    assert f"The project is kept, but these steps failed: {', '.join(unfinished)}." in output
    assert resume(output) == ["cd project", *commands, *NEXT]
    assert ("Sign in as" in output) == (SEED not in commands and SETUP not in commands)
    assert "again?" not in output
    assert git(project, "log", "--format=%s") == "Start Shop from python-backend-template\n"


@pytest.mark.parametrize("missing", ["git", "uv"])
def test_missing_git_or_uv_is_rejected(missing: str, machine: Machine, template: Path, tmp_path: Path) -> None:
    (machine.path / missing).unlink()
    result = machine.run(machine.copy_command(template, "shop", "--quiet"), tmp_path, PATH=str(machine.path))
    assert result.returncode == 1
    assert result.stderr.startswith(f"Install {missing} (")
    assert result.stdout == ""
    assert not (tmp_path / "shop").exists()


def test_relative_source_is_recorded_as_absolute(machine: Machine, released_template: Path, tmp_path: Path) -> None:
    name = "a folder whose name is so long that YAML folds the line on which it stands, and more than once"
    template = Path(shutil.copytree(released_template, tmp_path / name))
    machine.run(machine.copy_command(name, "shop", "--quiet"), tmp_path)
    assert answers_of(tmp_path / "shop")["_src_path"] == str(template)
    assert git(tmp_path / "shop", "status", "--porcelain") == ""


def test_copy_from_a_changed_clone_records_its_last_commit(
    machine: Machine, released_template: Path, tmp_path: Path
) -> None:
    template = Path(shutil.copytree(released_template, tmp_path / "template"))
    with (template / "templates" / "README.md.jinja").open("a") as readme:
        readme.write("Not committed.\n")
    result = machine.run(machine.copy_command(template, "shop", "--vcs-ref", "HEAD"), tmp_path)
    assert "The template has uncommitted changes: 0.1.0 is recorded" in result.stdout
    project = tmp_path / "shop"
    assert answers_of(project)["_commit"] == "0.1.0"
    assert " --vcs-ref 0.1.0 " in (project / ".copier-answers.yml").read_text()
    assert "Not committed." in (project / "README.md").read_text()
    assert git(project, "status", "--porcelain") == ""


def test_first_commit_has_the_author_from_the_answers_or_waits_for_one(machine: Machine, render: Render) -> None:
    nobody = {"GIT_CONFIG_GLOBAL": os.devnull, "EMAIL": ""}
    project = render(framework="flask", user_name="Ada", user_email="ada@example.com")
    machine.hook(project, **nobody)
    assert git(project, "log", "--format=%an <%ae>") == "Ada <ada@example.com>\n"

    project = render("anonymous", framework="flask")
    output = machine.hook(project, **nobody)
    assert steps(output) == dict.fromkeys(STEPS, "ok") | {"first commit": "deferred"}
    assert "git has no user.name and user.email" in output
    assert resume(output)[1] == 'git add --all && git commit -m "Start"'
    assert {*git(project, "diff", "--cached", "--name-only").split()} == {
        ".copier-answers.yml",
        *rendered_files(project),
    }


def test_first_commit_has_every_file_whatever_git_is_set_to(machine: Machine, render: Render, tmp_path: Path) -> None:
    ignored, hooks, made_with = tmp_path / "ignored", tmp_path / "hooks", tmp_path / "made_with"
    ignored.write_text(".env*\njustfile\nAGENTS.md\n*.lock\ndocs/\n")
    for folder in (hooks, made_with / "hooks"):
        folder.mkdir(parents=True)
        (folder / "pre-commit").write_text("#!/bin/sh\nexit 1\n")
        (folder / "pre-commit").chmod(0o755)
        shutil.copy(folder / "pre-commit", folder / "post-commit")
    (made_with / "info").mkdir()
    shutil.copy(ignored, made_with / "info" / "exclude")
    settings = {
        "core.excludesFile": ignored,
        "core.hooksPath": hooks,
        "core.safecrlf": "true",
        "commit.gpgSign": "true",
    }
    settings |= {"init.templateDir": made_with, "user.name": "Ada", "user.email": "ada@example.com"}
    for key, value in settings.items():
        git(tmp_path, "config", "--file", str(tmp_path / "gitconfig"), key, str(value))
    project = render(framework="flask")
    output = machine.hook(project, GIT_CONFIG_GLOBAL=str(tmp_path / "gitconfig"))
    assert steps(output) == dict.fromkeys(STEPS, "ok"), output
    assert {*git(project, "ls-files").split()} == {".copier-answers.yml", *rendered_files(project)}


def test_project_inside_a_repository_is_not_committed(machine: Machine, render: Render, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", "Theirs")
    project = render(framework="flask")
    output = machine.hook(project)
    assert steps(output) == dict.fromkeys(STEPS[1:-1], "ok")
    assert f"it is inside the repository {tmp_path}" in output
    assert f"CI reads .github/workflows/ci.yml in {tmp_path} only: move it there" in output
    assert not (project / ".git").exists()
    assert git(tmp_path, "log", "--format=%s") == "Theirs\n"


def test_unreachable_postgresql_defers_the_database_step(machine: Machine, render: Render) -> None:
    project = render(framework="flask", database="postgresql")
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        url = f"postgresql://postgres@127.0.0.1:{server.getsockname()[1]}/shop"
        silent = machine.hook(project, DATABASE_URL=url)
        assert f"run just _database {url}" not in machine.calls()
        assert "run just test -q tests/core sqlite:///db.sqlite3" in machine.calls()
        server.listen()
        answering = machine.hook(project, DATABASE_URL=url)
    assert (steps(silent)["database"], steps(silent)["demo data"]) == ("deferred", "deferred")
    assert resume(silent)[:3] == ["cd project", SETUP, SEED]
    assert steps(answering)["database"] == "ok"
    recipes = ("_database", "openapi", "test -q tests/core", "seed")
    assert machine.calls()[-4:] == [f"run just {recipe} {url}" for recipe in recipes]


def test_ctrl_c_keeps_the_project_and_prints_how_to_resume(machine: Machine, template: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        machine.copy_command(template, "shop"),
        cwd=tmp_path,
        env=machine.environment(UV_BLOCKS="run just test*"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    machine.started.read_text()  # blocks until the tests have started
    os.killpg(process.pid, signal.SIGINT)
    output, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "Stopped. The project is kept; resume with: cd shop && uv run just setup\n" in output
    assert "Execution stopped by user" in errors
    assert (tmp_path / "shop" / "pyproject.toml").exists()


def test_terminated_hook_ends_its_step_and_keeps_the_project(machine: Machine, render: Render) -> None:
    project = render(framework="flask")
    environment = machine.environment(UV_BLOCKS="run just test*")
    process = subprocess.Popen(
        hook_command(project), cwd=project, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    machine.started.read_text()
    time.sleep(0.5)  # until Popen has returned in the hook, which cannot end the step before
    process.terminate()
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 0  # otherwise Copier deletes the project
    assert "Stopped. The project is kept" in output
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_failed_step_can_be_retried_in_a_terminal(machine: Machine, template: Path, tmp_path: Path) -> None:
    command = machine.copy_command(template, "shop", "--quiet")
    environment = machine.environment(UV_FAILS="run just test*", TERM="xterm")
    with pexpect.spawn(
        command[0], command[1:], cwd=tmp_path, env=environment, encoding="utf-8", timeout=30, dimensions=(40, 120)
    ) as child:
        child.expect(r"smoke tests +\d s")
        child.expect("Try 'smoke tests' again")
        child.send("y")
        child.expect("Try 'smoke tests' again")
        child.sendcontrol("c")
        child.expect("Stopped. The project is kept; resume with: cd shop")
        child.expect(pexpect.EOF)
    assert child.exitstatus == 1
    assert (tmp_path / "shop" / "pyproject.toml").exists()
    assert [call for call in machine.calls() if "test" in call] == ["run just test -q tests/core"] * 2


def test_closed_output_pipe_keeps_the_project(machine: Machine, render: Render) -> None:
    project = render(framework="flask")
    process = subprocess.Popen(
        hook_command(project), cwd=project, env=machine.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout
    process.stdout.close()
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, b"")
    assert git(project, "log", "--format=%s") == "Start Shop from python-backend-template\n"


def test_recorded_command_reproduces_the_project(machine: Machine, released_template: Path, tmp_path: Path) -> None:
    name = "Ada's Café & Söhne $HOME"
    options = ["-d", f"project_name={name}", "-d", "modules=[items, orders]", "-d", "docs=false", "-d", "license=MIT"]
    template = Path(shutil.copytree(released_template, tmp_path / "a template's clone"))
    first, again = tmp_path / "first", tmp_path / "again"
    machine.run(machine.copy_command(template.name, "first", *options), tmp_path)
    (recorded,) = re.findall(r"^# (uvx copier copy .*)$", (first / ".copier-answers.yml").read_text(), re.MULTILINE)
    command = [sys.executable, "-m", "copier", *shlex.split(recorded)[2:]]
    settings = tmp_path / "settings.yml"
    settings.write_text("defaults: {user_name: Somebody else, license: Apache-2.0}\n")
    assert machine.run(command, first, COPIER_SETTINGS_PATH=str(settings)).returncode == 0
    assert answers_of(again) == answers_of(first)
    assert answers_of(again)["project_name"] == name
    assert rendered_files(again) == rendered_files(first)


def test_failing_uv_lock_does_not_stop_the_update(
    machine: Machine, released_template: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    template = Path(shutil.copytree(released_template, tmp_path / "template"))
    project = tmp_path / "shop"
    answers = {"project_name": "Shop", "framework": "flask"}
    copier.run_copy(str(template), project, data=answers, defaults=True, skip_tasks=True, quiet=True)
    (project / "uv.lock").write_text("version = 1\n")
    release(project, "1")
    with (template / "templates" / "pyproject.toml.jinja").open("a") as text:
        text.write("# changed\n")
    release(template, "0.2.0")
    with plumbum.local.env(UV=str(machine.path / "uv"), UV_FAILS="lock*", DATABASE_URL=""):
        copier.run_update(project, defaults=True, overwrite=True, unsafe=True, quiet=True)
    assert machine.calls() == ["lock --quiet"]
    assert capfd.readouterr().err == "run `uv lock` again: it failed (the reason)\n"
    assert "# changed" in (project / "pyproject.toml").read_text()
