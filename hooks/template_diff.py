"""Show or merge what the template has changed in modules, for `just template-diff [MODULE…] [--apply]`.

An update leaves modules alone. Here git merges three sides of a module: the release that the project took it from, the
release that the project is at, and the module as it is. Migrations take no part.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import merge
from common import git, read_answers
from copier._template import load_template_config
from jinja2 import Environment
from merge import ANSWERS, Files, Owners, Plan, Repository, Sides, Story, Template
from update import CLEAN, Refused, only_line, recorded_answers, recorded_text, require_repository, resolve, unfinished

SHOWN = ("conflict", "kept", "yours")


@dataclass(frozen=True)
class Taken:
    """A module, and the answers with which the project took it."""

    module: str
    answers: Mapping[str, Any]

    @property
    def release(self) -> str:
        return str(self.answers["_commit"])


def catalogue(template: Template, answers: Mapping[str, Any]) -> list[str]:
    """Return the modules that come with code."""
    question = load_template_config(template.clone / "copier.yml", quiet=True).get("catalogue", {"default": "[]"})
    filters = "jinja2_ansible_filters.AnsibleCoreFiltersExtension"
    environment = Environment(extensions=[filters])  # noqa: S701 (renders no HTML)
    names: list[str] = json.loads(environment.from_string(question["default"]).render(answers))
    return names


def chosen(template: Template, project: Path, answers: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """Return the modules that are asked for: by default those that come with code."""
    own, folder = answers.get("own_modules") or [], project / "src" / str(answers["package"])
    known = [*dict.fromkeys([*(answers.get("modules") or []), *merge.IMPLIED])]
    there = [name for name in known if name not in own and (folder / name).is_dir()]
    unknown = next((name for name in names if name not in there), None)
    if unknown:
        raise Refused(f"choose one of {', '.join(there) or 'no modules'}: the template has no module '{unknown}' here")
    return list(names) or [name for name in catalogue(template, answers) if name in there]


def taken(project: Path, answers: Mapping[str, Any], module: str) -> Taken:
    """Return what the commit that added a module records."""
    if git(project, "rev-parse", "--is-shallow-repository").stdout.strip() == "true":
        raise Refused(f"run `git fetch --unshallow` first: only the history says which release {module} is from")
    folder = f"src/{answers['package']}/{module}"
    added = git(project, "log", "--format=%H", "--diff-filter=A", "--", folder).stdout.split()
    recorded = git(project, "show", f"{added[-1]}:./{ANSWERS}").stdout if added else ""
    if not recorded:
        raise Refused(f"compare {folder} with a new project: the commit that added it has no {ANSWERS}")
    return Taken(module, read_answers(recorded))


def render_taken(template: Template, target: Path, now: Mapping[str, Any], origin: Taken) -> None:
    """Render the release that a module is from, with the answers of today as far as it has the questions."""
    ref = resolve(template, origin.release)
    if not ref:
        remedy = f"compare {origin.module} with a new project"
        raise Refused(f"{remedy}: {template.source} has no {origin.release!r}, which it was taken from")
    data = {key: now.get(key, value) for key, value in origin.answers.items() if not key.startswith("_")}
    try:
        template.render(target, ref, data)
    except ValueError as error:
        raise Refused(f"{origin.release} cannot be rendered with your answers: {only_line(error)}") from None


def plan_modules(
    template: Template, project: Path, repository: Repository, origins: Sequence[Taken]
) -> tuple[Plan, Files, Files]:
    """Merge the modules. Return what changes, and the files before and after. Nothing of the project is written."""
    answers = recorded_answers(project)
    current = resolve(template, str(answers["_commit"]))
    if not current:
        raise Refused(f"set `_commit` in {ANSWERS} to a release: {template.source} has no {answers['_commit']!r}")
    new = repository.folder / "new"
    template.render(new, current, {}, previous=recorded_text(project))
    owners, head = Owners(answers, answers), git(project, "rev-parse", "HEAD").stdout.strip()

    def of(files: Files, modules: set[str]) -> Files:
        return {
            path: entry
            for path, entry in files.items()
            if owners.module(path) in modules and "/migrations/" not in path and entry.mode in merge.REGULAR
        }

    wanted = {origin.module for origin in origins}
    base: Files = {}
    for number, release in enumerate(dict.fromkeys(origin.release for origin in origins)):
        same = [origin for origin in origins if origin.release == release]
        old = repository.folder / f"old{number}"
        render_taken(template, old, answers, same[0])
        base |= of(repository.add(old), {origin.module for origin in same})
    tracked = repository.read(head)
    sides = Sides(base, of(tracked, wanted), of(repository.add(new), wanted))
    result = Plan(answers=answers, tracked=tracked)
    merged = repository.merge(sides, f"template-{answers['_commit']}".replace(" ", "-"))
    Story(result, repository, sides, merged).tell()
    after = {path: entry for path, entry in sides.ours.items() if path not in result.deletes} | result.writes
    return result, sides.ours, after


def show(repository: Repository, before: Files, after: Files) -> None:
    """Print what the merge would change in the modules, as git does."""
    colour = "always" if sys.stdout.isatty() else "never"
    command = ["diff", f"--color={colour}", "-M", repository.commit(before), repository.commit(after)]
    sys.stdout.flush()
    subprocess.run(["git", "--no-pager", *command], cwd=repository.work, check=True)


def report(origins: Sequence[Taken], current: str, plan: Plan, *, applied: bool) -> Iterator[str]:
    """Say what was compared, what is in conflict, and what comes next."""
    for origin in origins:
        yield f"{origin.module}: taken from {origin.release}, the project is at {current}"
    for path, (status, why) in sorted(plan.notes.items()):
        if status in SHOWN:
            yield f"{status}: {path}, {why}"
    if not plan.paths:
        yield "Nothing to take."
    elif not applied:
        yield "`just template-diff MODULE --apply` merges this."
    else:
        yield f"merged, not committed: {len(plan.paths)} files"
        if any(Path(path).stem == "models" or "/models/" in path for path in plan.paths):
            yield "The models have changed: `just make-migration NAME`, and `just migrate`."
        after = "Resolve the conflicts and `git add` each file; then run" if plan.stages else "Run"
        yield f"{after} `just update-template`, which checks. `just update-template --abort` takes it back."


def run(template: Template, project: Path, names: Sequence[str], *, apply: bool) -> int:
    """Show or merge, and return the exit code: 1 if there are conflicts in the modules."""
    head = require_repository(project)
    if apply and (unfinished(project, head) or git(project, "status", "--porcelain", "--", ".").stdout):
        raise Refused(CLEAN)
    answers = recorded_answers(project)
    origins = [taken(project, answers, name) for name in chosen(template, project, answers, names)]
    with merge.temporary_folder() as folder:
        repository = Repository(Path(folder), project)
        plan, before, after = plan_modules(template, project, repository, origins)
        if apply:
            merge.spare_ignored(plan, project)
            if plan.paths:
                merge.apply(repository, plan, head)
        elif plan.paths:
            show(repository, before, after)
    print("\n".join(report(origins, str(answers["_commit"]), plan, applied=apply)))
    return 1 if apply and plan.stages else 0
