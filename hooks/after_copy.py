"""Set up a freshly copied project: repository, dependencies, database, smoke tests, demo data, first commit.

A step that fails does not stop the steps that do not need it; its output and the command to resume are printed. The
exit code is 0 even then, because Copier deletes a new project when a task fails. It is 1 if git or uv is missing.
"""

import argparse
import io
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import questionary
from common import find_uv, git, read_answers

TAIL_LINES = 25
POSTGRESQL_TIMEOUT = 1.0


class StepError(Exception):
    """A step failed. The message is its output."""


class DeferredError(Exception):
    """A step cannot run yet. The message says what to do first."""


def say(text: str = "", end: str = "\n") -> None:
    """Print and flush. Ignore a closed pipe."""
    try:
        print(text, end=end, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def shell_quote(command: list[str]) -> str:
    """Return `command` quoted for this system's shell."""
    return subprocess.list2cmdline(command) if os.name == "nt" else shlex.join(command)


def committed_release(source: str, commit: str) -> str:
    """Return the commit to record: what Copier recorded, or the last one of a clone with uncommitted changes.

    Copier commits such changes into a copy that it deletes, and no update would find that commit.
    """
    clone = Path(source)
    if not clone.is_dir() or git(clone, "rev-parse", "--verify", "--quiet", f"{commit}^0").returncode == 0:
        return commit
    return git(clone, "describe", "--tags", "--always").stdout.strip() or commit


def unreachable_postgresql(project: Path) -> str | None:
    """Return host and port of the project's PostgreSQL server if it does not answer, else None.

    The URL is DATABASE_URL from the environment, `.env` or `.env.example`, in this order.
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
    """Run steps in order, print a line for each, and collect the commands that are left to run."""

    def __init__(self) -> None:
        self.failed: list[str] = []
        self.resume: list[str] = []

    def step(self, name: str, action: Callable[[], str | None], resume: str, needs: str | None = None) -> None:
        """Run `action` and print its status, its time and the note it returns.

        `resume` is the command to run later if it does not succeed. The step is skipped if the step `needs` failed. In
        a terminal a failed step can be tried again.
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
            try:
                with running_clock(name):
                    note = action()
                line("ok", note)
            except DeferredError as reason:
                later()
                line("deferred", str(reason))
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


@contextmanager
def running_clock(name: str) -> Iterator[None]:
    """Show the name of the running step and its seconds, in a terminal."""
    if not interactive():
        yield
        return
    began, done = time.monotonic(), threading.Event()

    def tick() -> None:
        while not done.is_set():
            say(f"  ...      {name:<13} {time.monotonic() - began:6.0f} s", end="\r")
            done.wait(1)

    clock = threading.Thread(target=tick, daemon=True)
    clock.start()
    try:
        yield
    finally:
        done.set()
        clock.join()


def interactive() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def ask(question: str) -> bool:
    """Ask a yes-or-no question. Return False without a terminal."""
    if not interactive():
        return False
    try:
        return bool(questionary.confirm(question, default=False).unsafe_ask())
    except KeyboardInterrupt:
        # The prompt consumed Ctrl-C; pass the signal on to Copier.
        if hasattr(os, "killpg"):
            os.killpg(os.getpgrp(), signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        return False


def runner(uv: str, project: Path) -> Callable[..., None]:
    """Return a function that runs a uv command in `project` and raises StepError with its output on failure."""
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
    """Return the root of the git repository around the project, or None if there is none or it ignores the project."""
    found = git(project, "rev-parse", "--show-toplevel")
    if found.returncode or git(project, "check-ignore", "--quiet", ".").returncode == 0:
        return None
    return found.stdout.strip()


def require_success(result: subprocess.CompletedProcess[str]) -> None:
    if result.returncode:
        raise StepError(result.stdout + result.stderr)


def start_repository(project: Path, source: str) -> None:
    """Start a repository. Who copied with `--trust` is not asked again by tools/template.py."""
    # Without the template of this machine: it may hold hooks and ignored files.
    require_success(git(project, "init", "--quiet", "--template="))
    require_success(git(project, "symbolic-ref", "HEAD", "refs/heads/main"))
    require_success(git(project, "config", "template.trust", source))


def first_commit(project: Path, answers: Mapping[str, Any]) -> None:
    """Commit everything that was rendered, whatever this machine ignores, checks or signs.

    The author is git's or the one in the answers.

    Raises:
        DeferredError: there is no author.

    """
    settings = {"core.excludesFile": "", "core.hooksPath": os.devnull, "core.safecrlf": "false"}
    settings["user.useConfigOnly"] = "true"
    for key in ("user.name", "user.email"):
        answer = answers[key.replace(".", "_")]
        if answer and git(project, "config", key).returncode:
            settings[key] = answer
    options = [option for key, value in settings.items() for option in ("-c", f"{key}={value}")]
    require_success(git(project, *options, "add", "--all"))
    if git(project, *options, "var", "GIT_COMMITTER_IDENT").returncode:
        raise DeferredError("git has no user.name and user.email")
    message = f"Start {answers['project_name']} from python-backend-template {answers.get('_commit', '')}".strip()
    require_success(git(project, *options, "commit", "--quiet", "--no-verify", "--no-gpg-sign", "--message", message))


def has_recipe(project: Path, name: str) -> bool:
    """Return whether the project's justfile has this recipe."""
    return f"\n{name} " in (project / "justfile").read_text(encoding="utf-8")


def check_project(project: Path, answers: Mapping[str, Any], uv: str, just: str) -> Report:
    """Run every step. Without PostgreSQL the database steps are deferred and the tests run on SQLite."""
    report = Report()
    run = runner(uv, project)
    setup = f"{just} setup"
    missing = unreachable_postgresql(project)
    on_sqlite = {"DATABASE_URL": "sqlite:///db.sqlite3"} if missing else {}

    def with_database(recipe: str) -> None:
        if missing:
            raise DeferredError(f"start PostgreSQL: {missing} does not answer")
        run("run", "just", recipe)

    def test() -> str | None:
        run("run", "just", "test", "-q", "tests/core", variables=on_sqlite)
        return "on SQLite" if missing else None

    outer = surrounding_repository(project)
    if not outer:
        report.step("repository", lambda: start_repository(project, answers["_src_path"]), "git init")
    report.step("dependencies", lambda: run("sync"), setup)
    report.step("settings", lambda: run("run", "just", "_env"), setup, needs="dependencies")
    report.step("database", lambda: with_database("_database"), setup, needs="settings")
    report.step("openapi", lambda: run("run", "just", "openapi"), setup, needs="dependencies")
    report.step("smoke tests", test, f"{just} test", needs="dependencies")
    if has_recipe(project, "seed"):
        report.step("demo data", lambda: with_database("seed"), f"{just} seed", needs="database")
    if not outer:
        commit = 'git add --all && git commit -m "Start"'
        report.step("first commit", lambda: first_commit(project, answers), commit, needs="repository")
        return report
    say(f"  Commit the project yourself: it is inside the repository {outer}.")
    pipeline = {"github": ".github/workflows/ci.yml", "gitlab": ".gitlab-ci.yml"}.get(answers["ci"])
    if pipeline:
        say(f"  CI reads {pipeline} in {outer} only: move it there, and run its commands in this folder.")
    return report


def next_steps(answers: Mapping[str, Any], just: str, *, seeded: bool) -> list[str]:
    """Return what to type and to open once the project is set up, and how to sign in."""
    admin = answers["framework"] == "django" or answers.get("admin_ui")
    places = [*(["/"] if answers.get("pages") else []), "/docs", *(["/admin/"] if admin else [])]
    lines = [
        f"  {just} dev          then open http://127.0.0.1:8000{places[0]}",
        f"  {just} check        all tests, and every gate that CI runs",
        f"  {just}              list all recipes",
    ]
    if seeded:
        lines.append(f"Sign in as ada@example.com at {' or '.join(places)}; the password is SEED_PASSWORD in .env.")
    return lines


def stop_when_interrupted(resume: str) -> None:
    """Print how to resume on Ctrl-C, at once: Copier ends this process a quarter of a second later."""

    def stop(_signal: int, _frame: object) -> None:
        say(f"\nStopped. The project is kept; resume with: {resume}")
        sys.exit(0)

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), stop)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("answers_file")
    parser.add_argument("destination", help="the destination as typed on the command line")
    arguments = parser.parse_args()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    project = Path.cwd()
    uv = find_uv()
    just = "uv run just" if shutil.which("uv") else "python3 -m uv run just"
    change_directory = f"cd {shell_quote([arguments.destination])}"
    stop_when_interrupted(f"{change_directory} && {just} setup")

    answers_file = project / arguments.answers_file
    answers = read_answers(answers_file.read_text(encoding="utf-8"))

    for name, found, remedy in (
        ("git", shutil.which("git"), "https://git-scm.com/downloads"),
        ("uv", uv, "`python3 -m pip install uv`"),
    ):
        if not found:
            print(f"Install {name} ({remedy}) and copy again, or add --skip-tasks.", file=sys.stderr)
            return 1

    recorded = answers.get("_commit", "")
    release = committed_release(answers["_src_path"], recorded)
    if release != recorded:
        text = answers_file.read_text(encoding="utf-8").replace(f"--vcs-ref {recorded} ", f"--vcs-ref {release} ")
        answers_file.write_text(text.replace(f"\n_commit: {recorded}\n", f"\n_commit: {release}\n"), encoding="utf-8")
        answers["_commit"] = release
        say(f"The template has uncommitted changes: {release} is recorded, from which updates will start.")
    say(f"Setting up {answers['project_name']}:")
    report = check_project(project, answers, str(uv), just)
    say()
    if report.failed:
        say(f"The project is kept, but these steps failed: {', '.join(report.failed)}. To resume:")
    else:
        say("It works. What to type next:")
    for command in (change_directory, *report.resume):
        say(f"  {command}")
    seeded = has_recipe(project, "seed") and not {f"{just} seed", f"{just} setup"} & {*report.resume}
    for line in next_steps(answers, just, seeded=seeded):
        say(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
