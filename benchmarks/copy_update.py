"""Duration of `copier copy` against an empty template, and of an update against a copy: medians, PASS or FAIL.

Measures whole processes without tasks, in turn, so that a slow period of the machine hits all of them. Works in
/dev/shm where there is one, because other load on a disk would be most of the difference.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent
MEMORY = Path("/dev/shm")  # noqa: S108 (a folder of its own is made in it)
COPY_LIMIT = 2.0
UPDATE_LIMIT = 2.5
# What `just update-template` starts, and `copier update`, which renders three times before it does the same.
UPDATES = ("update", "plain")
ANSWERS_FILE = "{{ _copier_conf.answers_file }}.jinja"


def run(*command: str, folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, stdin=subprocess.DEVNULL, capture_output=True)


def release(repository: Path, version: str) -> None:
    """Commit and tag everything, and pack it as in a clone."""
    for command in (["init"], ["add", "--all"], ["commit", "--message", version], ["tag", version], ["repack", "-ad"]):
        run("git", *command, folder=repository)


def this_template(target: Path) -> None:
    """Copy the work tree into a repository with two releases, which differ in one line of the README."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    release(target, "0.1.0")
    with (target / "templates" / "README.md.jinja").open("a") as readme:
        readme.write("\nOne more line.\n")
    release(target, "0.2.0")


def empty_template(target: Path) -> None:
    """Create a Copier template with a single file."""
    target.mkdir()
    (target / "copier.yml").write_text("project_name: {type: str}\n")
    (target / "README.md.jinja").write_text("# {{ project_name }}\n")
    release(target, "0.1.0")


def copy(template: Path, target: Path, *options: str) -> None:
    answers = ("--defaults", "-d", "project_name=Shop", "--skip-tasks")
    run(sys.executable, "-m", "copier", "copy", *answers, *options, str(template), str(target), folder=target.parent)


def seconds(action: str, folder: Path, number: int) -> float:
    """Return the duration of one run, without its preparation."""
    target = folder / f"{action}-{number}"
    if action in UPDATES:
        shutil.copytree(folder / "project", target)
    began = time.perf_counter()
    if action == "update":
        hook, source = str(folder / "template" / "hooks" / "update.py"), f"--source={folder / 'template'}"
        run(sys.executable, hook, source, "--to=0.2.0", str(target), "update", "--no-check", folder=target)
    elif action == "plain":
        run(sys.executable, "-m", "copier", "update", "--trust", "--defaults", folder=target)
    else:
        copy(folder / ("empty" if action == "empty" else "template"), target, "--vcs-ref", "HEAD")
    took = time.perf_counter() - began
    shutil.rmtree(target)
    return took


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--folder", type=Path, default=MEMORY if MEMORY.is_dir() else Path(tempfile.gettempdir()))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        os.environ["TMPDIR"] = name  # Copier clones and compares there
        (folder / "settings.yml").write_text("{}\n")
        os.environ["COPIER_SETTINGS_PATH"] = str(folder / "settings.yml")
        for who in ("AUTHOR", "COMMITTER"):
            os.environ |= {f"GIT_{who}_NAME": "Benchmark", f"GIT_{who}_EMAIL": "benchmark@example.com"}
        this_template(folder / "template")
        empty_template(folder / "empty")
        copy(folder / "template", folder / "project", "--vcs-ref", "0.1.0")
        release(folder / "project", "start")
        times: dict[str, list[float]] = {"empty": [], "copy": [], "update": [], "plain": []}
        for number in range(-1, arguments.runs):
            for action, taken in times.items():
                took = seconds(action, folder, number)
                if number >= 0:  # the first run warms up
                    taken.append(took)

    typical = {action: median(taken) for action, taken in times.items()}
    print(f"whole processes in {arguments.folder}, Python {platform.python_version()}")
    for action, taken in times.items():
        print(
            f"{action:<8} median {typical[action]:6.3f} s   ({min(taken):.3f} to {max(taken):.3f}, {len(taken)} runs)"
        )
    passed = True
    for text, action, base, limit in (
        ("copy / empty template", "copy", "empty", COPY_LIMIT),
        ("update / copy", "update", "copy", UPDATE_LIMIT),
    ):
        ratio = typical[action] / typical[base]
        passed &= ratio <= limit
        print(f"{text:<24} {ratio:5.2f}   at most {limit}   {'PASS' if ratio <= limit else 'FAIL'}")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
