"""The import contracts cover new modules without an edit, and each is broken by the import it forbids."""

import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from servers import clean_environment
from support import answers_of

pytestmark = pytest.mark.parametrize("generated", ["django", "fastapi", "flask"], indirect=True, scope="session")

PUBLIC = "Modules import only another module's public"
CORE = "The core imports no module"
LAYERS = "Imports inside a module follow its layers"
CIRCLES = "Modules do not import each other in circles"

# The file of a module with its HTTP interface.
HTTP = {"django": "api", "fastapi": "router", "flask": "views"}
# Two new modules; `borrower` uses `lender` through its public interface.
GOOD = {
    "lender/__init__.py": "",
    "lender/contracts.py": "",
    "lender/models.py": "from . import contracts",
    "lender/queries.py": "from . import contracts, models",
    "lender/services.py": "from . import models, queries",
    "lender/public.py": "from . import contracts, queries, services",
    "lender/secrets.py": "",
    "borrower/__init__.py": "",
    "borrower/models.py": "",
    "borrower/services.py": "from . import models\nfrom ..core import problems\nfrom ..lender import public",
    "borrower/{http}.py": "from . import services\nfrom ..lender.public import services as lent",
}

Lint = Callable[[Mapping[str, str]], str]


@pytest.fixture
def lint(project: Path, tmp_path: Path) -> Lint:
    """Return a function that adds files to a copy of the project and returns import-linter's report if it fails."""

    def run(files: Mapping[str, str]) -> str:
        shutil.copy(project / "pyproject.toml", tmp_path)
        package = tmp_path / "src" / "shop"
        shutil.copytree(project / "src" / "shop", package, ignore=shutil.ignore_patterns("__pycache__"))
        for name, text in files.items():
            path = package / name.format(http=HTTP[answers_of(project)["framework"]])
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        command = ["uv", "run", "--no-sync", "lint-imports", "--no-logo", "--no-cache"]
        environment = clean_environment(PYTHONPATH=str(package.parent), UV_PROJECT_ENVIRONMENT=str(project / ".venv"))
        result = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8", check=False
        )
        assert result.returncode in {0, 1}, result.stderr
        return result.stdout if result.returncode else ""

    return run


def test_new_modules_are_accepted(lint: Lint) -> None:
    assert not lint(GOOD)


@pytest.mark.parametrize(
    ("contract", "name", "text", "found"),
    [
        (
            PUBLIC,
            "borrower/services.py",
            "from ..lender.models import Item",
            "borrower.services -> shop.lender.models",
        ),
        (
            PUBLIC,
            "borrower/services.py",
            "from ..lender import models",
            "borrower.services -> shop.lender.models",
        ),
        (PUBLIC, "borrower/{http}.py", "from ..lender import secrets", "> shop.lender.secrets"),
        (
            PUBLIC,
            "borrower/{http}.py",
            "def view():\n    import shop.lender.queries",
            "> shop.lender.queries",
        ),
        (
            PUBLIC,
            "borrower/models.py",
            "from ..config import settings",
            "borrower.models -> shop.config.settings",
        ),
        (CORE, "core/clever.py", "from ..lender import public", "core.clever -> shop.lender.public"),
        (LAYERS, "borrower/models.py", "from . import services", "borrower.models -> shop.borrower.services"),
        (LAYERS, "lender/queries.py", "from . import services", "lender.queries -> shop.lender.services"),
        (LAYERS, "lender/services.py", "from . import public", "lender.services -> shop.lender.public"),
        (CIRCLES, "lender/secrets.py", "from ..borrower import public", "- .lender -> .borrower"),
    ],
)
def test_forbidden_import_breaks_its_contract(lint: Lint, contract: str, name: str, text: str, found: str) -> None:
    package = {"config/__init__.py": "", "config/settings.py": ""}
    report = lint({**GOOD, **package, "borrower/public.py": "", name: text})
    assert f"{contract} BROKEN" in report
    assert report.count(" BROKEN") == 1
    assert found in report
