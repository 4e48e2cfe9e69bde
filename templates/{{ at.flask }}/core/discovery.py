"""Discovery: a module's `views.py`, and any `…_views.py`, are found by their names; so are other kinds."""

from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from types import ModuleType

from flask import Blueprint, Flask

PACKAGE = __name__.partition(".")[0]


def files(app: Flask, kind: str) -> list[ModuleType]:
    """Import the files of a kind, such as `views`, of every module in modules.py."""
    found = []
    for module in app.config["MODULES"]:
        package = find_spec(f"{PACKAGE}.{module}")
        if package is None or package.origin is None:
            raise LookupError(f"modules.py lists '{module}', but src/{PACKAGE}/{module}/ is no package.")
        names = (each.name for each in iter_modules(package.submodule_search_locations))
        mine = [name for name in names if name == kind or name.endswith(f"_{kind}")]
        found += [import_module(f"{package.name}.{name}") for name in mine]
    return found


def blueprints(app: Flask, kind: str) -> dict[Blueprint, str]:
    """Return the blueprints at the top level of the files of a kind, with their names there."""
    found: dict[Blueprint, str] = {}
    for file in files(app, kind):
        own = {value: name for name, value in vars(file).items() if isinstance(value, Blueprint)}
        if not own:
            raise LookupError(f"{file.__name__} needs a Blueprint at its top level.")
        found |= own
    return found
