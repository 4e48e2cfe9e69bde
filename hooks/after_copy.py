"""What runs after `copier copy`: from rendered files to a checked project in a repository of its own.

The rendered project is complete without it, so a step that fails costs nothing but itself: the project stays, the
failure is shown with the command that resumes, and whatever does not depend on it goes on. Copier deletes a new
project when a task fails, therefore the exit code is 0 even then. Only a machine without git or uv is refused.
"""

import argparse
import io
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import questionary
import yaml
from common import find_uv, git, read_answers

TAIL_LINES = 25
POSTGRESQL_TIMEOUT = 1.0


class StepError(Exception):
    """A step did not work; the text is what it printed."""


class LeftOut(Exception):  # noqa: N818 (nothing went wrong)
    """A step is not for now; the text says why."""


def say(text: str = "", end: str = "\n") -> None:
    """Print; a reader that has gone away, as `head` does, is no reason to fail."""
    try:
        print(text, end=end, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def quoted(command: list[str]) -> str:
    """`command` as it can be typed into this system's shell."""
    return subprocess.list2cmdline(command) if os.name == "nt" else shlex.join(command)


def absolute_source(source: str, started_in: Path) -> str:
    """Where a later update finds the template: a path relative to where Copier was started becomes absolute."""
    path = started_in / Path(source).expanduser()
    return str(path.resolve()) if path.exists() else source


def record_source(answers_file: Path, source: str) -> None:
    """Put `source` into the answers file, whose long lines YAML may have folded."""
    text = answers_file.read_text(encoding="utf-8")
    entry = yaml.safe_dump({"_src_path": source}, allow_unicode=True, width=sys.maxsize)
    text = re.sub(r"^_src_path:.*\n(?:[ ].*\n)*", lambda _: entry, text, flags=re.MULTILINE)
    answers_file.write_text(text, encoding="utf-8")


def reproduce(answers: Mapping[str, Any], source: str, destination: str) -> str:
    """The `copier copy` command that gives this very project, with every answer spelled out."""
    command = [*(["uvx"] if shutil.which("uvx") else ["python3", "-m", "uv", "tool", "run"]), "copier", "copy"]
    command += ["--trust", "--defaults"]
    if "_commit" in answers:
        command += ["--vcs-ref", str(answers["_commit"])]
    for key, value in answers.items():
        if not key.startswith("_"):
            command += ["-d", f"{key}={value if isinstance(value, str) else json.dumps(value)}"]
    return quoted([*command, source, destination])


def silent_postgresql(project: Path) -> str | None:
    """The address of a PostgreSQL that this project expects and that does not answer.

    DATABASE_URL says which, else `.env`, else `.env.example`.
    """
    url = os.environ.get("DATABASE_URL")
    for name in (".env", ".env.example"):
        if url is None and (project / name).exists():
            lines = (project / name).read_text(encoding="utf-8").splitlines()
            url = next((line.partition("=")[2] for line in lines if line.startswith("DATABASE_URL=")), None)
    try:
        parts = urlsplit(url or "")
        host, port = parts.hostname, parts.port or 5432
    except ValueError:
        return None
    if not parts.scheme.startswith("postgres") or not host:
        return None
    try:
        socket.create_connection((host, port), timeout=POSTGRESQL_TIMEOUT).close()
    except OSError:
        return f"{host}:{port}"
    return None


class Report:
    """Carries out steps one after the other, a line each, and remembers what is left to do."""

    def __init__(self) -> None:
        self.failed: list[str] = []
        self.resume: list[str] = []

    def step(self, name: str, action: Callable[[], str | None], resume: str, needs: str | None = None) -> None:
        """Carry out `action` and print its line; a text that it returns is said beside it.

        `resume` is the command that carries it out later. In a terminal a failed step may be tried again. A step whose
        `needs`, an earlier one, failed is left out.
        """
        began = time.monotonic()

        def line(status: str, note: str | None = None) -> None:
            say(f"  {status:<8} {name:<13} {time.monotonic() - began:6.1f} s{f'  {note}' if note else ''}")

        def later() -> None:
            self.resume += [] if resume in self.resume else [resume]

        if needs in self.failed:
            self.failed.append(name)
            later()
            line("skipped", f"needs {needs}")
            return
        while True:
            if interactive():
                say(f"  ...      {name}", end="\r")
            try:
                line("ok", action())
            except LeftOut as reason:
                later()
                line("left out", str(reason))
            except (StepError, OSError) as failure:
                line("FAILED")
                for text in str(failure).strip().splitlines()[-TAIL_LINES:]:
                    say(f"    | {text}")
                if ask(f"Try '{name}' again?"):
                    began = time.monotonic()
                    continue
                self.failed.append(name)
                later()
            return


def interactive() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def ask(question: str) -> bool:
    """The answer of somebody at a terminal; no where there is none."""
    if not interactive():
        return False
    try:
        return bool(questionary.confirm(question, default=False).unsafe_ask())
    except KeyboardInterrupt:
        # The prompt took Ctrl-C from the terminal, so Copier has not seen it.
        if hasattr(os, "killpg"):
            os.killpg(os.getpgrp(), signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        return False


def runner(uv: str, project: Path) -> Callable[..., None]:
    """A function that runs a uv command in `project` and raises StepError with its output if it fails."""
    environment = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH")}
    environment |= {"PATH": os.pathsep.join([str(Path(uv).parent), environment.get("PATH", "")]), "NO_COLOR": "1"}

    def run(*arguments: str, variables: Mapping[str, str] | None = None) -> None:
        result = subprocess.run(
            [uv, *arguments],
            cwd=project,
            env={**environment, **(variables or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if result.returncode:
            raise StepError(result.stdout)

    return run


def surrounding_repository(project: Path) -> str | None:
    """The repository that the project lies in already, unless that one ignores it."""
    found = git(project, "rev-parse", "--show-toplevel")
    if found.returncode or git(project, "check-ignore", "--quiet", ".").returncode == 0:
        return None
    return found.stdout.strip()


def must(result: subprocess.CompletedProcess[str]) -> None:
    if result.returncode:
        raise StepError(result.stdout + result.stderr)


def start_repository(project: Path) -> None:
    must(git(project, "init", "--quiet"))
    must(git(project, "symbolic-ref", "HEAD", "refs/heads/main"))


def first_commit(project: Path, answers: Mapping[str, Any]) -> str | None:
    """Commit everything as the person whom git knows, else as the author from the answers, which is then said."""
    options, note = ["-c", "commit.gpgsign=false"], None
    if git(project, "config", "user.email").returncode or git(project, "config", "user.name").returncode:
        name = answers["user_name"] or answers["project_name"]
        email = answers["user_email"] or f"{answers['package']}@localhost"
        options += ["-c", f"user.name={name}", "-c", f"user.email={email}"]
        note = f"as {name} <{email}>, because git has no user.name and user.email"
    must(git(project, "add", "--all"))
    message = f"Start {answers['project_name']} from python-backend-template {answers.get('_commit', '')}".strip()
    must(git(project, *options, "commit", "--quiet", "--no-verify", "--message", message))
    return note


def check_project(project: Path, answers: Mapping[str, Any], uv: str, just: str) -> Report:
    """Set the project up and try it."""
    report = Report()
    run = runner(uv, project)
    setup = f"{just} setup"
    outer = surrounding_repository(project)
    missing = silent_postgresql(project)
    on_sqlite = {"DATABASE_URL": "sqlite:///db.sqlite3"} if missing else {}

    def migrate() -> None:
        if missing:
            raise LeftOut(f"PostgreSQL at {missing} does not answer; start it first")
        run("run", "just", "_database")

    def test() -> str | None:
        run("run", "just", "test", "-q", variables=on_sqlite)
        return "on SQLite" if missing else None

    if not outer:
        report.step("repository", lambda: start_repository(project), "git init")
    report.step("dependencies", lambda: run("sync"), setup)
    report.step("settings", lambda: run("run", "just", "_env"), setup, needs="dependencies")
    report.step("database", migrate, setup, needs="settings")
    report.step("openapi", lambda: run("run", "just", "openapi"), setup, needs="dependencies")
    report.step("tests", test, f"{just} test", needs="dependencies")
    if answers["docs"]:
        report.step("docs", lambda: run("run", "just", "docs"), f"{just} docs", needs="openapi")
    if outer:
        say(f"  The project lies in the repository {outer}, so the first commit is yours.")
    else:
        commit = 'git add --all && git commit -m "Start"'
        report.step("first commit", lambda: first_commit(project, answers), commit, needs="repository")
    return report


def stop_when_interrupted(resume: str) -> None:
    """On Ctrl-C say at once how to resume: Copier gets the signal too and ends us a quarter of a second later."""

    def stop(_signal: int, _frame: object) -> None:
        say(f"\nStopped. The project is kept; resume with: {resume}")
        sys.exit(0)

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), stop)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("answers_file")
    parser.add_argument("destination", help="as it was typed")
    parser.add_argument("started_in", type=Path, help="the folder in which Copier was started")
    arguments = parser.parse_args()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    project = Path.cwd()
    uv = find_uv()
    just = "uv run just" if shutil.which("uv") else "python3 -m uv run just"
    enter = f"cd {quoted([arguments.destination])}"
    stop_when_interrupted(f"{enter} && {just} setup")

    answers_file = project / arguments.answers_file
    answers = read_answers(answers_file.read_text(encoding="utf-8"))
    source = absolute_source(answers["_src_path"], arguments.started_in)
    if source != answers["_src_path"]:
        record_source(answers_file, source)
    again = reproduce(answers, source, arguments.destination)

    for name, found, remedy in (
        ("git", shutil.which("git"), "see https://git-scm.com/downloads"),
        ("uv", uv, "run `python3 -m pip install uv`"),
    ):
        if not found:
            sentence = f"{name} is not installed, and the project is set up with it: {remedy}, then copy again"
            print(f"{sentence}, or add --skip-tasks.", file=sys.stderr)
            return 1

    say(f"Setting up {answers['project_name']}:")
    report = check_project(project, answers, str(uv), just)
    say()
    if report.failed:
        say(f"The project is kept, but these steps did not finish: {', '.join(report.failed)}. To resume:")
    else:
        say("It works. What to type next:")
    for command in (enter, *report.resume):
        say(f"  {command}")
    if not report.failed:
        start = "" if answers.get("pages") else "/docs"
        say(f"  {just} dev          then open http://127.0.0.1:8000{start}")
        say(f"  {just} check        every gate that CI runs\n  {just}              lists the other recipes")
    say(f"The same project again:\n  {again}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
