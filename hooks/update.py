# /// script
# requires-python = ">=3.11"
# dependencies = ["copier~=9.19"]
# ///
"""Update a project from this clone of the template. Projects start it with tools/template.py.

Nothing is written before the merge is finished, and `undo.py` takes back what is written.
"""

import argparse
import difflib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import merge
import undo
import yaml
from common import find_uv, git, read_answers, record_source, unmerged
from copier._template import load_template_config
from merge import ANSWERS, Plan, Renders, Repository, Template
from packaging.version import InvalidVersion, Version

# These decide what a project is. An update never changes them.
FROZEN = ("framework", "package", "api")
OPEN = ("conflict",)
CLEAN = "commit or stash your changes first, so that the new ones stand alone"
# How an entry of the changelog begins, and its heading in the report.
MARKS = {
    "By hand": "To do by hand:",
    "": "What changed in the template:",
    "New projects": "Not in your modules; `just template-diff` shows it for those that come with code:",
}
HEADINGS = {
    "conflict": "Conflicts to resolve",
    "kept": "Kept",
    "yours": "Left as you have it",
    "merged": "Merged with your changes",
    "renamed": "Renamed",
    "added": "Added",
    "updated": "Updated",
    "removed": "Removed",
}


class Refused(SystemExit):
    """The update stops with a sentence, and nothing has changed."""


@dataclass
class Report:
    """What an update does, for people and as JSON."""

    start: str
    end: str
    changes: list[str] = field(default_factory=list)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: list[dict[str, str]] = field(default_factory=list)
    checks: dict[str, bool] = field(default_factory=dict)

    @property
    def conflicts(self) -> list[str]:
        return [file["path"] for file in self.files if file["status"] in OPEN]

    def results(self) -> Iterator[str]:
        for recipe, passed in self.checks.items():
            yield f"`just {recipe}` {'passed' if passed else 'failed'}."

    def lines(self) -> Iterator[str]:
        yield f"{self.start} -> {self.end}"
        for mark, heading in MARKS.items():
            marked = [entry for entry in self.changes if mark_of(entry) == mark]
            if marked:
                yield from ("", heading, *marked)
        for heading, answers in self.answers.items():
            if answers:
                yield from ("", f"Answers {heading}:")
                yield from (f"  {key}: {value}" for key, value in answers.items())
        for status, heading in HEADINGS.items():
            found = [file for file in self.files if file["status"] == status]
            if found:
                yield from ("", f"{heading} ({len(found)}):")
                yield from (f"  {file['path']}" + (f": {file['why']}" if file["why"] else "") for file in found)


def mark_of(entry: str) -> str:
    """Return the mark of an entry of the changelog. One without a mark arrives with the update."""
    return next((mark for mark in MARKS if mark and re.match(rf" *- {mark}[,:]", entry)), "")


def only_line(error: BaseException) -> str:
    """Return the sentence of an error from Copier or one of the template's validators."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return re.sub(r"^Validation error for question '\w+': ", "", lines[-1])


def recorded_text(project: Path) -> str:
    """Return the answers file of the last commit."""
    return git(project, "show", f"HEAD:./{ANSWERS}").stdout


def recorded_answers(project: Path) -> dict[str, Any]:
    """Return the recorded answers."""
    recorded = recorded_text(project)
    if not recorded:
        raise Refused(f"restore {ANSWERS} first: it records the template of this project")
    try:
        answers = read_answers(recorded)
        missing = {"_commit", "_src_path", "package"} - {*answers}
    except (yaml.YAMLError, TypeError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise Refused(f"restore {ANSWERS} with `git checkout HEAD~ -- {ANSWERS}`: it is not valid YAML{line}") from None
    if missing:
        raise Refused(f"put {', '.join(sorted(missing))} back into {ANSWERS}: an update needs it")
    return answers


def require_repository(project: Path) -> str:
    """Return the commit of the project."""
    head = git(project, "rev-parse", "--verify", "--quiet", "HEAD").stdout.strip()
    if not head:
        start = 'run `git init`, `git add -A` and `git commit -m "Start"` first'
        raise Refused(f"{start}: this is not a git repository with a commit")
    return head


def unfinished(project: Path, head: str) -> bool:
    """Return whether the last update waits for its conflicts or its commit. Stop if it was interrupted."""
    if unmerged(project):
        return True
    journal = undo.read_journal(project)
    if journal is None:
        return False
    if journal["state"] == undo.APPLYING:
        if journal["head"] == head:
            raise Refused("run `just update-template --abort` first: an update was interrupted")
        start = journal["head"][:10]
        folder = undo.folder(project)
        raise Refused(f"compare with `git diff {start}` and remove {folder}: an interrupted update was committed")
    if journal["head"] == head and git(project, "status", "--porcelain", "--", ".").stdout:
        return True
    undo.forget(project)
    return False


def resolve(template: Template, ref: str) -> str:
    """Return the commit of a release, or nothing if the template does not have it."""
    found = git(template.clone, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}").stdout.strip()
    return found or git(template.clone, "rev-parse", "--verify", "--quiet", f"origin/{ref}^{{commit}}").stdout.strip()


def is_version(name: str) -> bool:
    try:
        return bool(Version(name))
    except InvalidVersion:
        return False


def releases(template: Template) -> str:
    listed = git(template.clone, "tag", "--sort=-version:refname").stdout.split()
    return f"its newest are {', '.join(listed[:3])}" if listed else "it has no tags"


def require_releases(template: Template, answers: Mapping[str, Any], target: str) -> tuple[str, str]:
    """Return the commits to update from and to."""
    before = resolve(template, str(answers["_commit"]))
    if not before:
        remedy = f"set `_commit` in {ANSWERS} to the last release that you merged"
        raise Refused(f"{remedy}: {template.source} has no {answers['_commit']!r}; {releases(template)}")
    after = resolve(template, target)
    if not is_version(target) and git(template.clone, "show-ref", "--verify", f"refs/tags/{target}").returncode == 0:
        raise Refused(f"choose a release, a branch or a commit: the tag {target!r} is no version, so it may move")
    if not after:
        raise Refused(
            f"choose another release than {target!r}: {template.source} has none of that name; {releases(template)}"
        )
    older = git(template.clone, "merge-base", "--is-ancestor", after, before).returncode == 0
    if older and after != before:
        sentence = f"this project is at {answers['_commit']}, which is newer than {target}"
        raise Refused(f"stay, or follow unreleased changes with `--to HEAD`: {sentence}")
    return before, after


def require_questions(template: Template, data: Mapping[str, Any]) -> None:
    """Require that the template asks for each key in `data`."""
    known = [key for key in load_template_config(template.clone / "copier.yml", quiet=True) if not key.startswith("_")]
    for key in data:
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            raise Refused(f"the template has no question {key!r}{hint}")


def first_answers(project: Path) -> dict[str, Any]:
    """Return the answers that the project was made with, as far as this clone goes back."""
    added = git(project, "log", "--format=%H", "--diff-filter=A", "--", ANSWERS).stdout.split()
    return read_answers(git(project, "show", f"{added[-1]}:./{ANSWERS}").stdout) if added else {}


def require_honest_answers(project: Path, answers: Mapping[str, Any]) -> None:
    """Require that nobody has edited an answer that decides what the project is."""
    first = first_answers(project)
    for key in FROZEN:
        if key in first and first[key] != answers.get(key):
            edited = f"the project was made with {key}={first[key]}, and this cannot change"
            raise Refused(f"put {key}: {first[key]} back into {ANSWERS}: {edited}")


def never_rendered(project: Path, answers: Mapping[str, Any]) -> set[str]:
    """Return modules that were written into the answers file by hand: neither here nor in the history."""
    if git(project, "rev-parse", "--is-shallow-repository").stdout.strip() == "true":
        return set()
    folder = f"src/{answers['package']}"
    return {
        name
        for name in {*(answers.get("modules") or [])} - {*(first_answers(project).get("modules") or [])}
        if not (project / folder / name).exists()
        and not git(project, "log", "--format=%H", "--max-count=1", "--", f"{folder}/{name}").stdout
    }


def require_offered(
    before: Mapping[str, Any], now: Mapping[str, Any], data: Mapping[str, Any], template: Template
) -> None:
    """Require that the new release takes every recorded answer, or that `data` has another one."""
    questions = load_template_config(template.clone / "copier.yml", quiet=True)
    for key, value in before.items():
        if key.startswith("_") or key not in now or key in data or now[key] == value:
            continue
        choices = questions.get(key, {}).get("choices") or [now[key]]
        names = choices.values() if isinstance(choices, dict) else choices
        offered = ", ".join(str(name["value"] if isinstance(name, dict) else name) for name in names)
        stay = f"or stay on {before['_commit']}"
        raise Refused(f"choose {key} with `-d {key}=…` ({offered}), {stay}: {key}={value} is no longer offered")


@dataclass(frozen=True)
class Request:
    """The release to update to, the answers to change, and whether to ask new questions and to write."""

    target: str
    data: Mapping[str, Any] = field(default_factory=dict)
    ask: bool = False
    dry_run: bool = False


def render_all(template: Template, project: Path, folder: Path, refs: tuple[str, str], request: Request) -> Renders:
    """Render the old release, the new one, and with other answers the new one again."""
    before, recorded = recorded_answers(project), recorded_text(project)
    old_data = {key: value for key, value in before.items() if not key.startswith("_")}
    by_hand = never_rendered(project, before)
    if by_hand:
        old_data["modules"] = [name for name in before["modules"] if name not in by_hand]
    between, new, old = folder / "between", folder / "new", folder / "old"
    answers = template.render(between, refs[1], {}, previous=recorded)
    require_offered(before, answers, request.data, template)
    carried = {key: value for key, value in before.items() if key in answers and not key.startswith("_")}
    data = {**carried, **request.data}
    if any(answers.get(key) != value for key, value in data.items()) or (request.ask and {*answers} - {*before}):
        answers = template.render(new, refs[1], data, previous=recorded, ask=request.ask)
    else:
        new = between
    if refs[0] == refs[1] and not by_hand:
        old = between
    else:
        template.render(old, refs[0], old_data)
    return Renders(old, between, new, {**before, **old_data}, answers)


def changelog(template: Template, refs: tuple[str, str], framework: str) -> list[str]:
    """Return the entries of CHANGELOG.md that the old release does not have, without those of other frameworks."""
    old, new = (git(template.clone, "show", f"{ref}:CHANGELOG.md").stdout for ref in refs)
    known = set(re.split(r"\n(?=- |#|\n)", old))
    found, heading = [], ""
    for entry in re.split(r"\n(?=- |#|\n)", new):
        if entry.startswith("#"):
            heading = entry.strip("# ").lower()
        elif (
            entry.startswith("- ")
            and entry not in known
            and heading not in {"django", "fastapi", "flask"} - {framework}
        ):
            found.append("  " + entry.rstrip().replace("\n", "\n  "))
    return found


def report_on(template: Template, refs: tuple[str, str], renders: Renders, plan: Plan) -> Report:
    before, after = renders.answers_before, renders.answers
    report = Report(str(before["_commit"]), str(after["_commit"]))
    report.changes = changelog(template, refs, str(after.get("framework", "")))
    public = {key: value for key, value in after.items() if not key.startswith("_")}
    report.answers = {
        "added": {key: value for key, value in public.items() if key not in before},
        "changed": {
            key: f"{before[key]} -> {value}" for key, value in public.items() if key in before and before[key] != value
        },
        "no longer asked": {
            key: value for key, value in before.items() if key not in after and not key.startswith("_")
        },
    }
    report.files = [{"path": path, "status": status, "why": why} for path, (status, why) in sorted(plan.notes.items())]
    return report


def plan_update(template: Template, project: Path, folder: Path, request: Request) -> tuple[Repository, Plan, Renders]:
    """Render and merge in `folder`. Nothing of the project is written."""
    refs = require_releases(template, recorded_answers(project), request.target)
    try:
        renders = render_all(template, project, folder, refs, request)
    except ValueError as error:
        raise Refused(only_line(error)) from None
    repository = Repository(folder, project)
    label = "template-" + re.sub(r"[^\w.+-]", "-", str(renders.answers["_commit"]))
    head = git(project, "rev-parse", "HEAD").stdout.strip()
    return repository, merge.plan(repository, renders, head, label), renders


def update(template: Template, project: Path, request: Request) -> Report:
    """Update the project and return what changed."""
    head = require_repository(project)
    before = recorded_answers(project)
    if not request.dry_run and git(project, "status", "--porcelain", "--", ".").stdout:
        raise Refused(CLEAN)
    refs = require_releases(template, before, request.target)
    require_questions(template, request.data)
    require_honest_answers(project, before)
    with merge.temporary_folder() as name:
        repository, plan, renders = plan_update(template, project, Path(name), request)
        merge.spare_ignored(plan, project)
        report = report_on(template, refs, renders, plan)
        if plan.paths and not request.dry_run:
            merge.apply(repository, plan, head)
    return report


def recipes(project: Path) -> Iterator[list[str]]:
    """Yield the recipes to run. New tables need a migration, unless it is there already or in their module."""
    yield ["setup"]
    added = git(project, "diff", "--cached", "--name-only", "--diff-filter=A", "--relative", "HEAD").stdout.split("\n")
    tables = [Path(path).parent.name for path in added if re.fullmatch(r"src/\w+/\w+/models\.py", path)]
    versions = Path("migrations", "versions")
    written = git(project, "status", "--porcelain", "--untracked-files", "--", str(versions)).stdout
    if tables and (project / versions).is_dir() and not written:
        yield ["make-migration", f"add {' '.join(tables)}"]
        yield ["migrate"]
    yield ["check"]


def run_recipes(project: Path, report: Report, *, quiet: bool) -> None:
    """Run `just setup` and `just check`, and stop where one fails."""
    uv = find_uv()
    if uv is None:
        raise SystemExit("install uv and run `just setup` and `just check`")
    environment = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    for recipe in recipes(project):
        output = sys.stderr if quiet else None
        done = subprocess.run([uv, "run", "just", *recipe], cwd=project, env=environment, stdout=output, check=False)
        report.checks[recipe[0]] = done.returncode == 0
        if done.returncode:
            break


def abort_command(project: Path, report: Report) -> str:
    """Return the command that undoes the update. `just` needs files that may be in conflict."""
    if {"pyproject.toml", "uv.lock", "justfile", "tools/template.py"} & {*report.conflicts}:
        return f"python {undo.folder(project) / 'undo.py'} ."
    return "just update-template --abort"


def finish(project: Path, report: Report, arguments: argparse.Namespace) -> int:
    """Run the checks, print the report and return the exit code: 1 while anything is open."""
    say = (lambda line: print(line, file=sys.stderr)) if arguments.json else print
    if arguments.check and not report.conflicts and not arguments.dry_run:
        run_recipes(project, report, quiet=arguments.json)
    failed = [recipe for recipe, passed in report.checks.items() if not passed]
    if arguments.report:
        arguments.report.write_text("\n".join([*report.lines(), "", *report.results()]) + "\n", encoding="utf-8")
    if arguments.dry_run:
        say("\nThis was a dry run: nothing has changed.")
    elif report.conflicts:
        say("\nResolve the conflicts and `git add` each file; then run `just update-template` again, which checks.")
    elif failed:
        say(f"\n`just {failed[0]}` failed. Fix it and run `just update-template` again.")
    else:
        say("\nRead `git diff HEAD`, then run `git add .` and commit.")
    if not arguments.dry_run:
        say(f"`{abort_command(project, report)}` takes everything back until you commit.")
    if arguments.json:
        facts = {"from": report.start, "to": report.end, "changelog": report.changes, "answers": report.answers}
        print(
            json.dumps(
                {**facts, "files": report.files, "checks": report.checks, "open": len(report.conflicts)}, indent=2
            )
        )
    return 1 if failed or (report.conflicts and not arguments.dry_run) else 0


def continue_update(project: Path, arguments: argparse.Namespace) -> int:
    """Take up an update that waits for its conflicts, its checks or its commit."""
    answers = recorded_answers(project)
    report = Report(str(answers["_commit"]), str(answers["_commit"]))
    report.files = [{"path": path, "status": "conflict", "why": ""} for path in unmerged(project)]
    if not arguments.json:
        print("The last update is not committed yet.", *(f"  {path}" for path in report.conflicts), sep="\n")
    return finish(project, report, arguments)


def update_template(template: Template, project: Path, arguments: argparse.Namespace) -> int:
    """Update to another release, or take up the last update."""
    wrong = [pair for pair in arguments.data if "=" not in pair]
    if wrong:
        raise Refused(f"write -d KEY=VALUE, not {wrong[0]!r}")
    data = dict(pair.split("=", 1) for pair in arguments.data)
    if unfinished(project, require_repository(project)):
        return continue_update(project, arguments)
    ask = sys.stdin.isatty() and not arguments.json
    target = arguments.to or default_target(template, project)
    report = update(template, project, Request(target, data, ask, arguments.dry_run))
    if not arguments.json:
        print("\n".join(report.lines()))
    if not report.files and not any(report.answers.values()) and report.start == report.end:
        print("Nothing to update.", file=sys.stderr if arguments.json else sys.stdout)
        return 0
    return finish(project, report, arguments)


def default_target(template: Template, project: Path) -> str:
    """Return what this clone has checked out, or the release of the project if that is newer."""
    recorded = str(recorded_answers(project)["_commit"])
    current = resolve(template, recorded)
    newer = current and git(template.clone, "merge-base", "--is-ancestor", "HEAD", current).returncode == 0
    return recorded if newer else "HEAD"


def change_modules(template: Template, project: Path, arguments: argparse.Namespace) -> int:
    """Add modules, from the release that the project is at."""
    if unfinished(project, require_repository(project)):
        raise Refused(CLEAN)
    answers = recorded_answers(project)
    names = [name for name in re.split(r"[\s,]+", " ".join(arguments.names)) if name]
    present = [*(answers.get("modules") or [])]
    known = next((name for name in names if name in present), None)
    if known:
        raise Refused(f"choose another name: module '{known}' already exists")
    modules = json.dumps([*present, *dict.fromkeys(names)])
    report = update(template, project, Request(str(answers["_commit"]), {"modules": modules}))
    listed = ", ".join(f"'{name}'" for name in names)
    if report.conflicts:
        print("\n".join(report.lines()))
        return 1
    print(f"module{'s' if len(names) > 1 else ''} {listed} added, not committed")
    return 0


def move_source(template: Template, project: Path) -> int:
    """Record another address of the template, which has the release that the project is at."""
    commit = recorded_answers(project)["_commit"]
    if not resolve(template, str(commit)):
        raise Refused(f"choose another address: {template.source} does not have {commit}, which this project is at")
    record_source(project / ANSWERS, template.source)
    print(f"{ANSWERS} records {template.source}; commit it")
    return 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="just update-template", description="Update this project from its template.")
    parser.add_argument("project", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("command", nargs="?", default="update", help=argparse.SUPPRESS)
    parser.add_argument("names", nargs="*", help=argparse.SUPPRESS)
    parser.add_argument("--source", required=True, help=argparse.SUPPRESS)
    parser.add_argument(
        "--to", metavar="RELEASE", help="a release, a branch or a commit; by default the newest release"
    )
    parser.add_argument("-d", "--data", action="append", default=[], metavar="KEY=VALUE", help="change an answer")
    parser.add_argument("--dry-run", action="store_true", help="show what would change")
    parser.add_argument("--abort", action="store_true", help="undo the last update, until it is committed")
    parser.add_argument("--apply", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="write the report to a file too, for a pull request"
    )
    parser.add_argument("--trust", action="store_true", help="do not ask whether to run the template's code")
    parser.add_argument(
        "--no-check", dest="check", action="store_false", help="do not run `just setup` and `just check`"
    )
    return parser.parse_args(arguments)


def main(argv: list[str] | None = None) -> int:
    arguments = parse(argv)
    project = arguments.project.resolve()
    template = Template(Path(__file__).parent.parent, arguments.source)
    if arguments.command == "source":
        return move_source(template, project)
    if arguments.command == "remove-module":
        import remove  # noqa: PLC0415 (it imports this file)

        return remove.run(template, project, " ".join(arguments.names))
    if arguments.command == "diff":
        import template_diff  # noqa: PLC0415 (it imports this file)

        return template_diff.run(template, project, arguments.names, apply=arguments.apply)
    if arguments.command == "add-module":
        return change_modules(template, project, arguments)
    return update_template(template, project, arguments)


if __name__ == "__main__":
    sys.exit(main())
