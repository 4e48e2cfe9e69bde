"""Wiring by file name: what a module in `modules.py` offers is found in its files.

The files of a kind are, for example, `router.py` and every `…_router.py`. Kinds and the names they must have:
`router`, `pages` (an `APIRouter`; `NAVIGATION`), `admin` (`VIEWS`), `lifespan` (`lifespan`), `models`.
"""

from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from fastapi import APIRouter, FastAPI

from ..modules import MODULES
from .settings import Settings

CORE = Path(__file__).parent


@cache
def files(kind: str) -> list[ModuleType]:
    """Import the files of a kind, in the order of the list and by name."""
    found: list[Path] = []
    for module in MODULES:
        folder = CORE.parent / module
        if not folder.is_dir():
            raise ImportError(f"modules.py lists '{module}', but {folder} does not exist")
        found += sorted({*folder.glob(f"{kind}.py"), *folder.glob(f"*_{kind}.py")})
    return [import_module(f"{CORE.parent.name}.{path.parent.name}.{path.stem}") for path in found]


def offered(kind: str, name: str) -> list[Any]:
    """Return what each file of a kind calls `name`."""
    for file in files(kind):
        if not hasattr(file, name):
            raise ImportError(f"{file.__name__} must have '{name}'")
    return [getattr(file, name) for file in files(kind)]


def routers(kind: str, *, public: bool = False) -> list[APIRouter]:
    """Return the routers of a kind: those called `open_…` if `public`, else the others."""
    found: list[APIRouter] = []
    for file in files(kind):
        named = {name: each for name, each in vars(file).items() if isinstance(each, APIRouter)}
        if not named:
            raise ImportError(f"{file.__name__} must have an APIRouter")
        found += [router for name, router in named.items() if name.startswith("open_") is public]
    return found


def start_capabilities(app: FastAPI, settings: Settings) -> None:
    """Call the `install` of each file of the core that has one, such as the pages and the admin."""
    for path in sorted(CORE.glob("*.py")):
        if install := getattr(import_module(f"{__package__}.{path.stem}"), "install", None):
            install(app, settings)
