"""Merge a release of the template into a project: render the old and the new one, and let git merge three ways.

The merge happens in a repository of its own, which borrows the objects of the project's. `plan` only reads the project;
`apply` writes a finished result, and journals it first, so that `undo.py` can take it back at any point.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import copier
import undo
from common import read_answers, record_source
from undo import text

ANSWERS = ".copier-answers.yml"
# Modules that a project can have without naming them in `modules`.
IMPLIED = ("accounts", "events")
# What `just setup` writes; the journal keeps them too.
REGENERATED = ("uv.lock", "docs/openapi.json")
# A file of the user's that is larger than this is no renamed file of the template.
LARGEST_RENAMED = 1_000_000
IDENTITY = {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in (("NAME", "Template"), ("EMAIL", "template@localhost"), ("DATE", "2000-01-01T00:00:00Z"))
}
SETTINGS = {
    "core.hooksPath": os.devnull,
    "core.autocrlf": "false",
    "core.safecrlf": "false",
    "core.fsmonitor": "false",
    "commit.gpgSign": "false",
    "gc.auto": "0",
    "merge.renames": "true",
    "merge.renameLimit": "20000",
    "merge.directoryRenames": "false",
    "merge.verifySignatures": "false",
    "rerere.enabled": "false",
}
REGULAR = ("100644", "100755")
# The stages of a conflict in git's index.
BASE, OURS, THEIRS = 1, 2, 3


class Entry(NamedTuple):
    """A file in git: its mode and the name of its content."""

    mode: str
    sha: str


Files = dict[str, Entry]


class Sides(NamedTuple):
    """The three sides of a merge."""

    base: Files
    ours: Files
    theirs: Files


@dataclass
class Merged:
    """The result of git's merge: the files, and for each conflict its stages and the file with markers."""

    files: Files
    stages: dict[str, dict[int, Entry]]
    marked: Files


@dataclass
class Plan:
    """What an update writes into the project, and what it says about each file."""

    writes: Files = field(default_factory=dict)
    deletes: list[str] = field(default_factory=list)
    stages: dict[str, dict[int, Entry]] = field(default_factory=dict)
    notes: dict[str, tuple[str, str]] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    tracked: Files = field(default_factory=dict)

    def note(self, path: str, status: str, reason: str = "") -> None:
        self.notes[path] = (status, reason)

    @property
    def paths(self) -> list[str]:
        return sorted({*self.writes, *self.deletes, *self.stages})


class Repository:
    """The temporary repository of a merge. It reads the objects of the project's repository and writes its own."""

    def __init__(self, folder: Path, project: Path) -> None:
        self.folder = folder
        self.project = project
        self.work = folder / "work"
        self.work.mkdir()
        kind = text(undo.git(project, "rev-parse", "--show-object-format"))
        self.git("init", "--quiet", "--template=", f"--object-format={kind}", ".")
        objects = undo.git_path(project, "objects").resolve()
        alternates = self.work / ".git" / "objects" / "info" / "alternates"
        alternates.parent.mkdir(exist_ok=True)
        alternates.write_bytes(f"{objects}\n".encode("utf-8", "surrogateescape"))

    def git(
        self, *arguments: str, data: bytes = b"", codes: Collection[int] = (0,), index: Path | None = None
    ) -> bytes:
        """Return the output of git. Raise RuntimeError if its exit code is not one of `codes`."""
        settings = [part for key, value in SETTINGS.items() for part in ("-c", f"{key}={value}")]
        # What the caller's git set, in a hook of its own for instance, is about another repository.
        outer = {key: value for key, value in os.environ.items() if not key.startswith("GIT_") or "CONFIG" in key}
        result = subprocess.run(
            ["git", *settings, *arguments],
            cwd=self.work,
            input=data,
            env={**outer, **IDENTITY, **({"GIT_INDEX_FILE": str(index)} if index else {})},
            capture_output=True,
            check=False,
        )
        if result.returncode not in codes:
            raise RuntimeError(f"git {arguments[0]}: {text(result.stderr) or text(result.stdout)}")
        return result.stdout

    def read(self, commit: str) -> Files:
        """Return the files of the project at `commit`."""
        prefix = text(undo.git(self.project, "rev-parse", "--show-prefix"))
        return entries(self.git("ls-tree", "-r", "-z", "--full-tree", f"{commit}:{prefix}".rstrip("/")))

    def add(self, folder: Path) -> Files:
        """Add the files of a render."""
        index = self.folder / f"{folder.name}.index"
        place = ["--git-dir", str(self.work / ".git"), "--work-tree", str(folder), "-C", str(folder)]
        self.git(*place, "add", "--all", "--force", ".", index=index)
        return {path: stages[0] for path, stages in staged(self.git("ls-files", "-z", "--stage", index=index)).items()}

    def commit(self, files: Files, *parents: str) -> str:
        index = self.folder / "tree.index"
        self.git("read-tree", "--empty", index=index)
        lines = "".join(f"{mode} {sha} 0\t{path}\0" for path, (mode, sha) in files.items())
        self.git("update-index", "-z", "--index-info", data=lines.encode("utf-8", "surrogateescape"), index=index)
        tree = text(self.git("write-tree", index=index))
        options = [part for parent in parents for part in ("-p", parent)]
        return text(self.git("commit-tree", tree, *options, data=b"Render"))

    def merge(self, sides: Sides, label: str) -> Merged:
        """Merge with git. Follows renames on either side."""
        ancestor = self.commit(sides.base)
        self.git("checkout", "--quiet", "--detach", self.commit(sides.ours, ancestor))
        self.git("update-ref", f"refs/heads/{label}", self.commit(sides.theirs, ancestor))
        self.git("merge", "--quiet", "--no-commit", "--no-ff", "-X", "renormalize", label, codes=(0, 1))
        listed = staged(self.git("ls-files", "-z", "--stage"))
        stages = {path: found for path, found in listed.items() if 0 not in found}
        marked = {}
        for path, found in stages.items():
            if (self.work / path).is_file():
                sha = text(self.git("hash-object", "-w", "--no-filters", "--", path))
                marked[path] = Entry(next(found[stage] for stage in (OURS, THEIRS, BASE) if stage in found).mode, sha)
        files = {path: found[0] for path, found in listed.items() if 0 in found}
        return Merged(files, stages, marked)

    def renames(self, old: Files, new: Files) -> dict[str, str]:
        """Return the new and the old path of each file that git takes for renamed."""
        options = ["-r", "-z", "-M", "--diff-filter=R", "--name-status", "-l20000"]
        fields = text(self.git("diff-tree", *options, self.commit(old), self.commit(new))).split("\0")
        return {fields[at + 2]: fields[at + 1] for at in range(0, len(fields) - 2, 3)}

    def lend(self, shas: Iterable[str]) -> None:
        """Copy objects into the project's repository."""
        listed = "".join(f"{sha}\n" for sha in sorted(set(shas)))
        undo.git(
            self.project, "unpack-objects", "-q", data=self.git("pack-objects", "-q", "--stdout", data=listed.encode())
        )


def entries(listed: bytes) -> Files:
    """Parse the output of `git ls-tree`."""
    found = {}
    for line in filter(None, listed.decode("utf-8", "surrogateescape").split("\0")):
        facts, _, path = line.partition("\t")
        mode, _, sha = facts.split()
        found[path] = Entry(mode, sha)
    return found


def staged(listed: bytes) -> dict[str, dict[int, Entry]]:
    """Parse the output of `git ls-files --stage`."""
    found: dict[str, dict[int, Entry]] = {}
    for line in filter(None, listed.decode("utf-8", "surrogateescape").split("\0")):
        facts, _, path = line.partition("\t")
        mode, sha, stage = facts.split()
        found.setdefault(path, {})[int(stage)] = Entry(mode, sha)
    return found


@dataclass(frozen=True)
class Template:
    """A clone of the template, and the source that projects record."""

    clone: Path
    source: str

    def render(
        self,
        target: Path,
        ref: str,
        data: Mapping[str, Any],
        *,
        previous: str = "",
        ask: bool = False,
    ) -> dict[str, Any]:
        """Render release `ref` into `target` and return the answers.

        `previous` are the answers file of a project to update. `ask` asks what neither these nor `data` answer.
        """
        target.mkdir()
        if previous:
            (target / ANSWERS).write_text(previous, encoding="utf-8")
        copier.run_copy(
            str(self.clone),
            target,
            data=dict(data),
            vcs_ref=ref,
            defaults=not ask,
            skip_tasks=True,
            overwrite=True,
            quiet=True,
            unsafe=True,
        )
        record_source(target / ANSWERS, self.source)
        return read_answers((target / ANSWERS).read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Renders:
    """The old release; the new release with the old answers and with the new ones; and the answers themselves."""

    old: Path
    toggled_from: Path
    new: Path
    answers_before: Mapping[str, Any]
    answers: Mapping[str, Any]


class Owners:
    """Tell whose a file is: a module's, or shared with the template."""

    def __init__(self, answers_before: Mapping[str, Any], answers: Mapping[str, Any]) -> None:
        self.package = str(answers["package"])
        self.before = {*answers_before.get("modules", [])}
        self.after = {*answers.get("modules", [])}
        self.modules = {*self.before, *self.after, *IMPLIED}

    def module(self, path: str) -> str:
        """Return the module that a file belongs to, `migrations` for a migration, or nothing for a shared file."""
        match path.split("/"):
            case ["migrations", "versions", *_]:
                return "migrations"
            case ["src", self.package, name, _, *_] | ["tests", name, _, *_] if name in self.modules:
                return name
        return ""

    def has(self, files: Iterable[str], module: str) -> bool:
        """Whether `files` has code of the module."""
        return any(path.startswith(f"src/{self.package}/{module}/") for path in files)


def plan(repository: Repository, renders: Renders, head: str, label: str) -> Plan:
    """Work out what an update changes. Nothing is written."""
    ours = repository.read(head)
    old, between, new = (repository.add(path) for path in (renders.old, renders.toggled_from, renders.new))
    owners = Owners(renders.answers_before, renders.answers)
    result = Plan(answers=dict(renders.answers), tracked=ours)
    answers = new.pop(ANSWERS)
    if ours.get(ANSWERS) != answers:
        result.writes[ANSWERS] = answers
    for files in (old, between):
        files.pop(ANSWERS, None)

    theirs_modules = {name for name in owners.modules if not owners.has(ours, name) and not owners.has(old, name)}

    def kept_out(path: str) -> bool:
        owner = owners.module(path)
        return owner != "" and owner not in theirs_modules

    if renders.toggled_from != renders.new:
        toggle(result, owners, Sides(old, ours, new), between)
    base, theirs = ({path: entry for path, entry in files.items() if not kept_out(path)} for files in (old, new))
    skip = blocked(result, base, ours, theirs)
    base, theirs = ({path: entry for path, entry in files.items() if path not in skip} for files in (base, theirs))
    sides = Sides(base, mergeable(repository, Sides(base, ours, theirs), kept_out), theirs)
    merged = repository.merge(sides, label)
    Story(result, repository, sides, merged).tell()
    return result


def toggle(result: Plan, owners: Owners, sides: Sides, off: Files) -> None:
    """Add and remove the files of modules that depend on a changed answer, such as `pages`.

    `off` is the new release with the old answers.
    """
    old, ours, on = sides
    for path in sorted({*off} ^ {*on}):
        module = owners.module(path)
        if module in {"", "migrations", *(owners.before - owners.after)} or not owners.has(ours, module):
            continue
        if path in on and path not in ours:
            if owners.has(off, module):
                result.writes[path] = on[path]
                result.note(path, "added", "the answers ask for it")
        elif path in on and ours[path] != on[path]:
            result.note(path, "kept", "you have a file here, the template brings one too")
        elif path in off and path in ours:
            if ours[path].sha in {off[path].sha, old[path].sha if path in old else ""}:
                result.deletes.append(path)
                result.note(path, "removed", "the answers no longer ask for it")
            else:
                result.note(path, "kept", "the answers no longer ask for it, and you changed it")


def blocked(result: Plan, base: Files, ours: Files, theirs: Files) -> set[str]:
    """Return the paths that no merge can write: another kind of file of the user's stands there."""
    folders = {parent for path in ours for parent in parents(path)}
    found = set()
    for path in {*base, *theirs}:
        link = path in ours and ours[path].mode not in REGULAR
        file = next((parent for parent in parents(path) if parent in ours), None)
        if link or file or path in folders:
            found.add(path)
            if base.get(path) != theirs.get(path):
                what = "a link of yours" if link else f"your file {file}" if file else "a folder of yours"
                result.note(path, "yours", f"the template changed it; {what} is in its place")
    return found


def parents(path: str) -> list[str]:
    """Return the folders above a path."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[: length + 1]) for length in range(len(parts))]


def mergeable(repository: Repository, sides: Sides, kept_out: Callable[[str], bool]) -> Files:
    """Return the user's files that take part in the merge: the template's, and what may be one under another name."""
    base, ours, theirs = sides
    mine = {path: entry for path, entry in ours.items() if path in base or path in theirs}
    if not {*base} <= {*ours}:
        others = {
            path: entry
            for path, entry in ours.items()
            if path not in mine and path != ANSWERS and entry.mode in REGULAR and not kept_out(path)
        }
        listed = "".join(f"{entry.sha}\n" for entry in others.values()).encode()
        sizes = text(repository.git("cat-file", "--batch-check=%(objectsize)", data=listed)).split()
        small = zip(others.items(), sizes, strict=True)
        mine.update(item for item, size in small if int(size) <= LARGEST_RENAMED)
    return mine


class Story:
    """Turns the result of git's merge into a plan with a note for each file."""

    def __init__(self, result: Plan, repository: Repository, sides: Sides, merged: Merged) -> None:
        self.result, self.sides, self.merged = result, sides, merged
        self.from_template = repository.renames(sides.base, sides.theirs)
        self.from_user = repository.renames(sides.base, sides.ours)

    def tell(self) -> None:
        for path, stages in sorted(self.merged.stages.items()):
            self.conflict(path, stages)
        for path in sorted({*self.merged.files, *self.sides.ours} - {*self.merged.stages}):
            if self.merged.files.get(path) != self.sides.ours.get(path):
                self.change(path, self.merged.files.get(path))

    def source(self, path: str) -> str:
        """Return the path of the file in the old release."""
        return self.from_user.get(path) or self.from_template.get(path) or path

    def conflict(self, path: str, stages: dict[int, Entry]) -> None:
        result, found, ours = self.result, {*stages}, self.sides.ours.get(path)
        # Git lists a file that both renamed under three names, one stage each.
        renamed_twice = len(found) == 1 and any({*other} == {BASE} for other in self.merged.stages.values())
        if OURS in found and THEIRS not in found and not renamed_twice:
            if ours is None and path in self.merged.marked:
                result.writes[path] = self.merged.marked[path]
            result.note(path, "kept", "the template removed it, and you changed it")
        elif THEIRS in found and OURS not in found and not renamed_twice:
            reason = "the template changed it, and you removed it"
            result.note(path, "yours", reason + was(self.source(path), path))
        else:
            result.stages[path] = stages
            if path in self.merged.marked:
                result.writes[path] = self.merged.marked[path]
            elif ours is not None:
                result.deletes.append(path)
            result.note(path, "conflict", wanted(stages) + was(self.source(path), path))

    def change(self, path: str, entry: Entry | None) -> None:
        before, source = self.sides.ours.get(path), self.source(path)
        if entry is None:
            self.result.deletes.append(path)
            if path not in self.from_template.values():
                self.result.note(path, "removed")
            return
        self.result.writes[path] = entry
        edited = source in self.sides.base and self.sides.base[source] != self.sides.ours.get(source, before)
        if edited or path in self.from_user:
            status = "merged"
        elif before is None:
            status = "renamed" if source != path else "added"
        else:
            status = "updated"
        self.result.note(path, status, was(source, path).strip(" ()"))


def was(source: str, path: str) -> str:
    return f" (was {source})" if source != path else ""


def wanted(stages: Mapping[int, Entry]) -> str:
    """Say what each side of a conflict wanted."""
    known = {
        (OURS, THEIRS): "you and the template each added it",
        (BASE,): "you and the template each gave it another name",
        (OURS,): "the name that you gave it",
        (THEIRS,): "the name that the template gave it",
    }
    return known.get(tuple(sorted(stages)), "you and the template changed the same lines")


def spare_ignored(result: Plan, project: Path) -> None:
    """Leave out new files where a file that git ignores stands already."""
    for path in [path for path in result.writes if path not in result.tracked and (project / path).exists()]:
        del result.writes[path]
        result.stages.pop(path, None)
        result.note(path, "kept", "you have an ignored file here, the template brings one too")


def apply(repository: Repository, result: Plan, head: str) -> None:
    """Write a plan into the project: journal, files, index. An error takes it back."""
    project = repository.project
    needed = [*result.writes.values(), *(entry for stages in result.stages.values() for entry in stages.values())]
    repository.lend(entry.sha for entry in needed)
    write_journal(project, result, head)
    try:
        write_files(project, result)
    except BaseException:
        undo.undo(project)
        raise
    set_state(project, undo.APPLIED)


def write_journal(project: Path, result: Plan, head: str) -> None:
    """Record where the update started and keep a copy of each file that it changes."""
    undo.forget(project)
    folder = undo.folder(project)
    for path in {*result.paths, *REGENERATED}:
        if (project / path).is_file():
            copy = folder / "before" / path
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(project / path, copy)
            shutil.copymode(project / path, copy)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(undo.__file__, folder / "undo.py")
    journal = {"head": head, "state": undo.APPLYING, "files": sorted({*result.paths, *REGENERATED})}
    replace_text(folder / "journal.json", json.dumps(journal))


def set_state(project: Path, state: str) -> None:
    journal = undo.read_journal(project) or {}
    replace_text(undo.folder(project) / "journal.json", json.dumps({**journal, "state": state}))


def replace_text(path: Path, content: str) -> None:
    """Replace a file at once, so that a crash leaves the old or the new one."""
    temporary = path.with_name(f"{path.name}.new")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def write_files(project: Path, result: Plan) -> None:
    """Write the files, as git checks them out, and then the index with its conflicts."""
    prefix = text(undo.git(project, "rev-parse", "--show-prefix"))
    index = undo.folder(project) / "checkout"
    for path in result.deletes:
        undo.remove(project, path)
    lines = [f"{mode} {sha} 0\t{prefix}{path}" for path, (mode, sha) in result.writes.items()]
    paths = "".join(f"{prefix}{path}\0" for path in result.writes)
    try:
        # The attributes of the new release count, so a whole index is needed.
        shutil.copyfile(undo.git_path(project, "index"), index)
        data = "".join(f"{line}\0" for line in lines).encode("utf-8", "surrogateescape")
        undo.git(project, "update-index", "-z", "--index-info", data=data, index=index)
        top = Path(text(undo.git(project, "rev-parse", "--show-toplevel")))
        listed = paths.encode("utf-8", "surrogateescape")
        undo.git(top, "checkout-index", "--force", "-z", "--stdin", data=listed, index=index)
    finally:
        index.unlink(missing_ok=True)
    finished = [line for line, path in zip(lines, result.writes, strict=True) if path not in result.stages]
    for path, stages in result.stages.items():
        finished += [f"{mode} {sha} {stage}\t{prefix}{path}" for stage, (mode, sha) in stages.items()]
    undo.set_index(project, finished, [f"{prefix}{path}" for path in result.paths])


def temporary_folder() -> TemporaryDirectory[str]:
    """Return a folder for a merge. Windows cannot remove git's read-only files before Python 3.12."""
    return TemporaryDirectory(prefix="template-update-", ignore_cleanup_errors=sys.platform == "win32")
