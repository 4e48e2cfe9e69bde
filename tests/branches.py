"""Branch coverage of the Jinja templates: record the outcome of each condition while projects are rendered."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import jinja2
import pytest
from jinja2 import nodes
from jinja2.compiler import CodeGenerator
from support import ROOT

_seen: set[tuple[str, int, bool]] = set()


class Side(NamedTuple):
    """An outcome of a condition."""

    template: str
    line: int
    outcome: bool


def note(template: str, number: int, value: Any) -> Any:
    """Record the outcome of a condition. Instrumented templates call this."""
    _seen.add((template, number, bool(value)))
    return value


def _conditions(tree: nodes.Node) -> list[Any]:
    return list(tree.find_all((nodes.If, nodes.CondExpr)))


class _NotingGenerator(CodeGenerator):
    """Wrap each condition, in a block or an expression, in a call to `note`."""

    def visit_Template(self, node: nodes.Template, frame: Any = None) -> None:  # noqa: N802 (Jinja's visitor)
        for number, condition in enumerate(_conditions(node)):
            arguments = [nodes.Const(self.name), nodes.Const(number), condition.test]
            condition.test = nodes.Call(nodes.ImportedName(f"{__name__}.note"), arguments, [], None, None)
            condition.set_environment(self.environment)
            condition.set_lineno(condition.lineno)
        super().visit_Template(node, frame)


@contextmanager
def noted() -> Iterator[None]:
    """Record the outcome of all conditions that Jinja renders inside this context."""
    _seen.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jinja2.Environment, "code_generator_class", _NotingGenerator)
        yield


def never_seen() -> list[Side]:
    """Return the outcomes in templates/ and includes/ that have not occurred since the last `noted`.

    Macros for validation and updates are excluded, because they have their own tests.
    """
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)  # noqa: S701 (nothing is rendered)
    missing: list[Side] = []
    for path in sorted([*(ROOT / "templates").rglob("*.jinja"), *(ROOT / "includes").rglob("*.*")]):
        name = path.relative_to(ROOT).as_posix()
        tree = environment.parse(path.read_text(encoding="utf-8"))
        aside = [
            macro for macro in tree.find_all(nodes.Macro) if macro.name.endswith(("_problem", "has", "unprintable"))
        ]
        skipped = {id(condition) for macro in aside for condition in _conditions(macro)}
        for number, condition in enumerate(_conditions(tree)):
            sides = (Side(name, condition.lineno, outcome) for outcome in (True, False))
            if id(condition) not in skipped:
                missing += [side for side in sides if (name, number, side.outcome) not in _seen]
    return missing
