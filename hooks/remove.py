"""Remove a module from a project, for `just remove-module NAME`.

Wiring and shared files change as in an update without the module; its code and tests are deleted. Nothing is written
if something still needs the module, and `undo.py` takes back what is written.
"""

import ast
import re
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import merge
from common import git
from merge import Owners, Plan, Template
from update import Refused, Request, plan_update, recorded_answers, require_repository, unfinished

# Besides Python, these name modules.
CONFIGURATION = ("pyproject.toml", "justfile")
# Capabilities, and the modules of the template that they need.
NEEDED_BY = {"realtime": ("accounts", "billing", "events"), "admin_ui": ("accounts",)}


@dataclass(frozen=True)
class Module:
    """A module that is to be removed, and what its models are called."""

    name: str
    package: str
    django: bool
    models: frozenset[str]
    tables: frozenset[str]

    @property
    def folders(self) -> tuple[str, str]:
        return f"src/{self.package}/{self.name}/", f"tests/{self.name}/"

    def uses(self, path: str, text: str) -> Iterator[int]:
        """Yield the lines of a file that need the module."""
        if path in CONFIGURATION:
            named = re.compile(rf"(?<!\w){self.package}[./]{self.name}(?!\w)")
            yield from (number for number, line in enumerate(text.splitlines(), 1) if named.search(line))
            return
        try:
            tree = ast.parse(text)
        except SyntaxError:
            return
        package = path.removeprefix("src/").split("/")[:-1]
        for node in ast.walk(tree):
            if any(self.is_meant(name) for name in imported(node, package)) or self.is_referred_to(node, path):
                yield getattr(node, "lineno", 1)

    def is_meant(self, name: str) -> bool:
        """Whether a dotted name is the module or inside it."""
        return any(f"{name}.".startswith(f"{root}.{self.name}.") for root in (self.package, "tests"))

    def is_referred_to(self, node: ast.AST, path: str) -> bool:
        """Whether an expression refers to the module by name: to a model, a table or a migration."""
        match node:
            case ast.Constant(value=str(text)) if re.fullmatch(r"[\w.]+(:\w+)?", text):
                model = self.django and text.lower() in {f"{self.name}.{name}" for name in self.models}
                return model or ("." in text and self.is_meant(text.partition(":")[0]))
            case ast.Tuple(elts=[ast.Constant(value=self.name), ast.Constant(value=str())]):
                return self.django and "/migrations/" in path
            case ast.Assign(targets=[ast.Name(id="depends_on")], value=value):
                return any(getattr(each, "value", None) == self.name for each in ast.walk(value))
            case ast.Call() if not path.startswith("migrations/"):
                return any(target.partition(".")[0] in self.tables for target in foreign_keys(node))
        return False


def imported(node: ast.AST, package: list[str]) -> Iterator[str]:
    """Yield the dotted names that a statement of a file in `package` imports."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        above = package[: len(package) - node.level + 1] if node.level else []
        base = ".".join([*above, *([node.module] if node.module else [])])
        yield base
        yield from (f"{base}.{alias.name}" for alias in node.names)


def foreign_keys(call: ast.Call) -> Iterator[str]:
    """Yield the columns that a ForeignKey or a ForeignKeyConstraint of SQLAlchemy refers to."""
    function = getattr(call.func, "attr", getattr(call.func, "id", ""))
    place = {"ForeignKey": call.args[:1], "ForeignKeyConstraint": call.args[1:2]}.get(function, [])
    for node in (each for argument in place for each in ast.walk(argument)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def read_module(project: Path, name: str, answers: Mapping[str, Any]) -> Module:
    """Read the names of models and tables from the code of the module."""
    models, tables = set[str](), set[str]()
    folder = project / "src" / str(answers["package"]) / name
    for file in sorted({*folder.glob("*models.py"), *folder.glob("models/*.py"), *folder.glob("migrations/*.py")}):
        try:
            tree = ast.parse(file.read_text(encoding="utf-8"))
        except SyntaxError as error:
            raise Refused(f"fix {file.relative_to(project)}:{error.lineno} first: it is not valid Python") from None
        for node in ast.walk(tree):
            match node:
                case ast.ClassDef(name=model) if file.parent.name != "migrations":
                    models.add(model.lower())
                case ast.Assign(targets=[ast.Name(id="__tablename__")], value=ast.Constant(value=str(table))):
                    tables.add(table)
                case ast.Call(func=ast.Attribute(attr="CreateModel"), keywords=keywords):
                    tables |= created(name, {each.arg: ast.unparse(each.value) for each in keywords})
    django = answers["framework"] == "django"
    return Module(name, str(answers["package"]), django, frozenset(models), frozenset(tables))


def created(app: str, model: Mapping[str | None, str]) -> set[str]:
    """Return the table that a CreateModel of Django creates, or none."""
    options = model.get("options", "")
    if "'managed': False" in options or "'proxy': True" in options or "name" not in model:
        return set()
    named = re.search(r"'db_table': '(\w+)'", options)
    return {named[1] if named else f"{app}_{ast.literal_eval(model['name'])}".lower()}


def require_removable(name: str, answers: Mapping[str, Any]) -> None:
    """Require a module that is there, and that neither the framework nor a capability needs."""
    modules, own = (list(answers.get(key) or []) for key in ("modules", "own_modules"))
    for capability, needed in NEEDED_BY.items():
        if answers.get(capability) and name in needed and name not in own:
            raise Refused(
                f"switch {capability} off with `just update-template -d {capability}=false` first: it needs {name}"
            )
    if name == "accounts" and answers["framework"] == "django":
        raise Refused("keep accounts: it has the user model, which a Django project cannot do without")
    if name not in modules:
        raise Refused(f"choose one of {', '.join(modules) or 'no modules'}: there is no module '{name}'")
    others = [module for module in modules if module != name]
    if name == "accounts" and name not in own and others:
        raise Refused(f"remove {', '.join(others)} first: without accounts nobody signs in, and their routes are open")


def require_unused(module: Module, files: Iterable[tuple[str, str]]) -> None:
    """Require that no file outside of the module needs it."""
    lines = []
    for path, text in files:
        numbers = sorted({*module.uses(path, text)} if not path.startswith(module.folders) else ())
        lines += [f"{path}:{','.join(map(str, numbers))}"] if numbers else []
    if lines:
        raise Refused(f"change these lines first, which need {module.name}: {', '.join(sorted(lines))}")


def sources(project: Path, paths: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield the files of the project that can name a module."""
    for path in sorted(paths):
        if (path.endswith(".py") or path in CONFIGURATION) and (project / path).is_file():
            yield path, (project / path).read_text(encoding="utf-8", errors="replace")


def remove(template: Template, project: Path, name: str) -> tuple[Module, Plan]:
    """Remove a module and return what changed."""
    head = require_repository(project)
    if unfinished(project, head) or git(project, "status", "--porcelain", "--", ".").stdout:
        raise Refused("commit or stash your changes first, so that the removal stands alone")
    answers = recorded_answers(project)
    require_removable(name, answers)
    module = read_module(project, name, answers)
    owners = Owners(answers, answers)
    tracked = git(project, "ls-files", "-z").stdout.split("\0")
    require_unused(module, sources(project, [path for path in tracked if owners.module(path)]))
    data: dict[str, Any] = {
        key: [each for each in answers[key] if each != name] for key in ("modules", "own_modules") if key in answers
    }
    with merge.temporary_folder() as folder:
        request = Request(str(answers["_commit"]), data)
        repository, plan, _ = plan_update(template, project, Path(folder), request)
        written = {path: repository.git("cat-file", "blob", sha) for path, (_, sha) in plan.writes.items()}
        kept = {*plan.tracked} - {*written, *plan.deletes}
        changed = ((path, text.decode(errors="replace")) for path, text in written.items())
        require_unused(
            module, [*sources(project, kept), *((path, text) for path, text in changed if path.endswith(".py"))]
        )
        plan.deletes += [path for path in plan.tracked if path.startswith(module.folders) and path not in plan.deletes]
        merge.spare_ignored(plan, project)
        merge.apply(repository, plan, head)
    for place in module.folders:
        clear_caches(project / place)
    return module, plan


def clear_caches(folder: Path) -> None:
    """Delete compiled files, and the folders that are empty then."""
    for cache in [*folder.rglob("__pycache__")]:
        shutil.rmtree(cache)
    for path in sorted([*folder.rglob("*"), folder], reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def report(module: Module, plan: Plan, project: Path) -> Iterator[str]:
    """Say what has changed, and what is left in place."""
    deleted = [path for path in plan.deletes if path.startswith(module.folders)]
    shared = sorted({*plan.writes, *plan.deletes} - {*deleted})
    yield f"module '{module.name}' removed, not committed: {len(deleted)} files of {' and '.join(module.folders)}"
    yield f"changed: {', '.join(shared)}"
    yield from (f"left, since git ignores it: {place}" for place in module.folders if (project / place).exists())
    for path, (status, why) in sorted(plan.notes.items()):
        if status in {"conflict", "kept", "yours"}:
            yield f"{status}: {path}, {why}"
    yield "Left in place:"
    if module.tables and module.django:
        yield f"  the tables {', '.join(sorted(module.tables))}, and the rows of '{module.name}' in django_migrations:"
        yield "    drop and delete them with SQL; `manage.py remove_stale_contenttypes` deletes the permissions"
    elif module.tables:
        yield f"  the tables {', '.join(sorted(module.tables))} and their migrations:"
        yield f'    `just make-migration "remove {module.name}"` writes one that drops them; `just check` asks for it'
    if module.tables:
        yield "  their foreign keys: the rows that they refer to cannot be deleted before the tables are dropped"
    yield "  docs/openapi.json and uv.lock: `just setup` writes them"
    yield "`just update-template --abort` takes everything back until you commit."


def run(template: Template, project: Path, name: str) -> int:
    """Remove a module, say so, and return the exit code: 1 if there are conflicts."""
    module, plan = remove(template, project, name)
    print("\n".join(report(module, plan, project)))
    return 1 if plan.stages else 0
