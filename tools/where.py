"""Find the template of a path in a generated project, and the answers that render it.

Everything is read from copier.yml, its question files and the names below templates/. A path inside a generated project
(a folder with .copier-answers.yml) is looked up with its answers.
"""

import argparse
import itertools
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePath
from typing import Any, NamedTuple

import jinja2
import jinja2.meta
import yaml
from jinja2 import nodes

ROOT = Path(__file__).resolve().parent.parent
SUFFIX = ".jinja"
ANSWERS = ".copier-answers.yml"
# A path part that is rendered once for each item of a list.
YIELD = re.compile(r"\{% yield (\w+) from (\w+) %\}(.*)\{% endyield %\}")
COMPARISONS = {"eq": "==", "ne": "!=", "lt": "<", "lteq": "<=", "gt": ">", "gteq": ">=", "in": "in", "notin": "not in"}
COMPARED = re.compile(r"(\w+) (==|!=) ('[^']*')")
NEGATED = re.compile(r"(\w+) == ('[^']*')")
# How tightly operators bind, loosest first.
CHOICE, OR, AND, NOT, COMPARISON, JOIN, ATOM = range(7)

# An expression in a computed map stands as its number in these brackets.
MARK = re.compile("⟦(\\d+)⟧")
# The expression, with its own scope, of each name that a loop or `set` has bound.
Scope = Mapping[str, "Piece"]
Piece = tuple[nodes.Node, Scope]


class Rendered(NamedTuple):
    """A text, with `<name>` for what answers decide, and the conditions under which it is rendered."""

    text: str
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Landing:
    """A path to which a template is rendered."""

    template: str
    path: str
    conditions: tuple[str, ...]

    @property
    def condition(self) -> str:
        """The conditions as a Jinja expression; empty if there are none."""
        compared = [match.groups() for each in self.conditions if (match := COMPARED.fullmatch(each))]
        fixed = {name: value for name, operator, value in compared if operator == "=="}
        needed = []
        for each in self.conditions:
            match = COMPARED.fullmatch(each)
            implied = match and match[2] == "!=" and fixed.get(match[1], match[3]) != match[3]
            needed += [] if implied else [each]
        return " and ".join(dict.fromkeys(needed))

    def match(self, path: str) -> dict[str, str] | None:
        """Return the value of each `<name>` if `path` is such a path."""
        pattern, seen = "", set[str]()
        for text in re.split(r"(<\w+>)", self.path):
            name = text[1:-1]
            if not re.fullmatch(r"<\w+>", text):
                pattern += re.escape(text)
            elif name in seen:
                pattern += f"(?P={name})"
            else:
                pattern += f"(?P<{name}>[^/]+)"
                seen.add(name)
        found = re.fullmatch(pattern, path)
        return found.groupdict() if found else None


class Template:
    """The template in a repository."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root
        self.jinja = jinja2.Environment(  # noqa: S701 (renders no HTML)
            loader=jinja2.FileSystemLoader(root),
            extensions=["jinja2_ansible_filters.AnsibleCoreFiltersExtension"],
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.questions = questions(root / "copier.yml")
        self._maps: dict[str, dict[str, list[Piece]]] = {}
        self._lists: dict[str, list[Rendered]] = {}
        self._expressions: dict[str, nodes.Node | None] = {}
        self._compiled: dict[str, tuple[Callable[..., Any], set[str]]] = {}

    @cached_property
    def landings(self) -> list[Landing]:
        """Every path to which a template is rendered."""
        folder = self.root / str(self.questions["_subdirectory"])
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return [landing for path in files for landing in self._landings(path, path.relative_to(folder))]

    def find(self, path: str, answers: Mapping[str, Any] | None = None) -> list[Landing]:
        """Return the landings at `path`, with `answers` only those that they render; literal paths first."""
        found = []
        for landing in self.landings:
            values = landing.match(path)
            if values is not None and (answers is None or self.holds(landing, {**answers, **values})):
                found.append(landing)
        return sorted(found, key=lambda landing: landing.path.count("<"))

    def targets(self, name: str) -> list[str]:
        """Return the keys of an answer that is a computed map."""
        return list(self._map(name))

    def holds(self, landing: Landing, answers: Mapping[str, Any]) -> bool:
        """Return whether `answers` render a landing. What questions compute may be missing from them."""
        if not landing.condition:
            return True
        condition = landing.condition
        if condition not in self._compiled:
            self._compiled[condition] = self.jinja.compile_expression(condition), self._needed(condition)
        expression, needed = self._compiled[condition]
        known = dict(answers)
        for name in needed:
            self._compute(name, known)
        return bool(expression(known))

    def includes(self, landing: Landing) -> list[str]:
        """Return the files that a template includes, at any depth, with `*` for what answers decide."""
        found: list[str] = []
        waiting = [landing.template] if landing.template.endswith(SUFFIX) else []
        while waiting:
            tree = self.jinja.parse((self.root / waiting.pop(0)).read_text(encoding="utf-8"))
            texts = [
                rendered.text for node in tree.find_all(nodes.Include) for rendered in self._texts(node.template, {})
            ]
            new = [text for text in dict.fromkeys(re.sub(r"<\w+>", "*", text) for text in texts) if text not in found]
            found += new
            waiting += [path.relative_to(self.root).as_posix() for text in new for path in sorted(self.root.glob(text))]
        return found

    def _landings(self, file: Path, relative: PurePath) -> Iterator[Landing]:
        parts = relative.with_name(relative.name.removesuffix(SUFFIX)).parts
        for choice in itertools.product(*(self._path_part(part) for part in parts)):
            texts = [rendered.text for rendered in choice]
            if all(texts):
                conditions = tuple(itertools.chain.from_iterable(rendered.conditions for rendered in choice))
                yield Landing(file.relative_to(self.root).as_posix(), PurePath(*texts).as_posix(), conditions)

    def _path_part(self, part: str) -> list[Rendered]:
        repeated = YIELD.fullmatch(part)
        if repeated:
            item, items, inner = repeated.groups()
            return [
                Rendered(rendered.text, (f"{item} in {items}", *rendered.conditions))
                for rendered in self._template(inner, {item: (nodes.Const(f"<{item}>"), {})})
            ]
        return self._template(part, {})

    def _template(self, source: str, scope: Scope) -> list[Rendered]:
        """Return what a Jinja text without statements renders to."""
        return self._joined([(node, scope) for node in outputs(self.jinja.parse(source))])

    def _joined(self, pieces: Sequence[Piece]) -> list[Rendered]:
        choices = itertools.product(*(self._texts(node, scope) for node, scope in pieces))
        return [
            Rendered(
                "".join(rendered.text for rendered in choice),
                tuple(itertools.chain.from_iterable(rendered.conditions for rendered in choice)),
            )
            for choice in choices
        ]

    def _texts(self, node: nodes.Node, scope: Scope) -> list[Rendered]:  # noqa: PLR0911 (one for each kind of node)
        """Return what an expression renders to."""
        match node:
            case nodes.TemplateData():
                return [Rendered(node.data)]
            case nodes.Const():
                return [Rendered(str(node.value))]
            case nodes.Concat():
                return self._joined([(part, scope) for part in node.nodes])
            case nodes.CondExpr():
                branches = ((node.test, node.expr1), (nodes.Not(node.test), node.expr2 or nodes.Const("")))
                return [
                    Rendered(rendered.text, (*self._all_of(test, scope), *rendered.conditions))
                    for test, branch in branches
                    for rendered in self._texts(branch, scope)
                ]
            case nodes.Name() if node.name in scope:
                return self._texts(*scope[node.name])
            case nodes.Name():
                chosen = self._computed(node.name)
                return self._texts(chosen, {}) if isinstance(chosen, nodes.CondExpr) else [Rendered(f"<{node.name}>")]
            case nodes.Getattr(node=nodes.Name(name="_copier_conf")):
                return [Rendered(str(self.questions[f"_{node.attr}"]))]
            case nodes.Getattr(node=nodes.Name(name=name)) if name in self.questions:
                return self._joined(self._map(name)[node.attr])
        return [Rendered("<value>")]

    def _computed(self, name: str) -> nodes.Node | None:
        """Return the expression of an answer that is computed by one."""
        if name not in self._expressions:
            question = self.questions.get(name, {})
            computed = question.get("when", True) is False and isinstance(question["default"], str)
            found = outputs(self.jinja.parse(question["default"])) if computed else []
            self._expressions[name] = found[0] if len(found) == 1 else None
        return self._expressions[name]

    def _map(self, name: str) -> dict[str, list[Piece]]:
        """Return the texts and expressions in the values of an answer that is a computed map."""
        if name not in self._maps:
            default, pieces = self.questions[name]["default"], list[Piece]()
            if not isinstance(default, dict):
                default = yaml.safe_load("".join(self._marked(self.jinja.parse(default).body, {}, pieces)))
            self._maps[name] = {key: self._parts(str(value), pieces) for key, value in default.items()}
        return self._maps[name]

    def _parts(self, text: str, pieces: Sequence[Piece]) -> list[Piece]:
        """Return the pieces for the numbers in a text, and the texts between them."""
        return [
            piece
            for number, part in enumerate(MARK.split(text))
            for piece in (
                [pieces[int(part)]] if number % 2 else [(node, {}) for node in outputs(self.jinja.parse(part))]
            )
        ]

    def _marked(self, body: Sequence[nodes.Node], scope: dict[str, Piece], pieces: list[Piece]) -> Iterator[str]:
        """Yield the text of statements, with the number of a piece instead of each expression."""
        for node in body:
            match node:
                case nodes.Output():
                    for each in node.nodes:
                        texts = self._texts(each, scope)
                        if len(texts) == 1 and "<" not in texts[0].text:
                            yield texts[0].text
                        else:
                            pieces.append((each, dict(scope)))
                            yield f"⟦{len(pieces) - 1}⟧"
                case nodes.Assign(target=nodes.Name(name=name)):
                    scope[name] = node.node, dict(scope)
                case nodes.For(target=nodes.Name(name=name), iter=nodes.List() as items):
                    for item in items.items:
                        yield from self._marked(node.body, {**scope, name: (item, scope)}, pieces)
                case _:
                    raise ValueError(f"cannot read this statement of a computed map: {node}")

    def words(self, node: nodes.Node, scope: Scope, level: int = CHOICE) -> str:
        """Return an expression as text, with what computed answers and `set` stand for where a truth is asked."""
        text, own = self._worded(node, scope)
        return f"({text})" if own < level else text

    def _worded(self, node: nodes.Node, scope: Scope) -> tuple[str, int]:  # noqa: C901, PLR0911, PLR0912 (as above)
        match node:
            case nodes.Const(value=bool() | None):
                return str(node.value).lower(), ATOM
            case nodes.Const():
                return repr(node.value), ATOM
            case nodes.List():
                return f"[{', '.join(self.words(item, scope) for item in node.items)}]", ATOM
            case nodes.And() | nodes.Or():
                operator, level = ("and", AND) if isinstance(node, nodes.And) else ("or", OR)
                sides = [self._truth(side, scope, level) for side in (node.left, node.right)]
                return f" {operator} ".join(sides), level
            case nodes.Not():
                text = self._truth(node.node, scope, NOT)
                negated = NEGATED.sub(r"\1 != \2", text) if NEGATED.fullmatch(text) else f"not {text}"
                return negated, NOT
            case nodes.Compare():
                operands = [f"{COMPARISONS[op.op]} {self.words(op.expr, scope, JOIN)}" for op in node.ops]
                return " ".join([self.words(node.expr, scope, JOIN), *operands]), COMPARISON
            case nodes.Concat():
                return " ~ ".join(self.words(part, scope, ATOM) for part in node.nodes), JOIN
            case nodes.Add():
                return f"{self.words(node.left, scope, JOIN)} + {self.words(node.right, scope, ATOM)}", JOIN
            case nodes.CondExpr():
                otherwise = self.words(node.expr2 or nodes.Const(""), scope)
                text = f"{self.words(node.expr1, scope, OR)} if {self._truth(node.test, scope, OR)} else {otherwise}"
                return text, CHOICE
            case nodes.Name() if node.name in scope:
                bound, its_scope = scope[node.name]
                return self._worded(bound, its_scope)
            case nodes.Name():
                return node.name, ATOM
            case nodes.Getattr():
                return f"{self.words(node.node, scope, ATOM)}.{node.attr}", ATOM
            case nodes.Getitem():
                return f"{self.words(node.node, scope, ATOM)}[{self.words(node.arg, scope)}]", ATOM
            case nodes.Filter() | nodes.Test():
                arguments = ", ".join(self.words(argument, scope) for argument in node.args)
                called = f"{node.name}({arguments})" if arguments else node.name
                operator, level = ("|", ATOM) if isinstance(node, nodes.Filter) else ("is", COMPARISON)
                return f"{self.words(node.node, scope, ATOM)} {operator} {called}" if node.node else called, level
        raise ValueError(f"cannot read this expression: {node}")

    def _all_of(self, node: nodes.Node, scope: Scope) -> list[str]:
        """Return the conditions that must all hold for a condition to hold."""
        match node:
            case nodes.And():
                return self._all_of(node.left, scope) + self._all_of(node.right, scope)
            case nodes.Name() if node.name in scope:
                return self._all_of(*scope[node.name])
            case nodes.Name():
                meant = self._meant(node.name)
                return self._all_of(meant, {}) if meant else [node.name]
        member = self._member(node)
        return [self.words(node, scope, AND)] if member is None else member

    def _truth(self, node: nodes.Node, scope: Scope, level: int) -> str:
        """Return the words of a condition; an answer computed from conditions stands for these."""
        if isinstance(node, nodes.Name) and node.name in scope:
            return self._truth(*scope[node.name], level)
        meant = self._meant(node.name) if isinstance(node, nodes.Name) else None
        if meant:
            return self._truth(meant, {}, level)
        member = self._member(node)
        if member is None:
            return self.words(node, scope, level)
        text = " and ".join(member) or "true"
        return f"({text})" if len(member) > 1 and level > AND else text

    def _member(self, node: nodes.Node) -> list[str] | None:
        """Return the conditions under which a text is in a computed list, if the list has an item a line."""
        match node:
            case nodes.Compare(
                expr=nodes.Const(value=str(value)), ops=[nodes.Operand(op="in", expr=nodes.Name(name=name))]
            ):
                for item in self._items(name):
                    if item.text == value:
                        return list(item.conditions)
                    question = item.text.strip("<>")
                    if item.text != question and value in self._values(question):
                        return [*item.conditions, f"{question} == {value!r}"]
        return None

    def _items(self, name: str) -> list[Rendered]:
        """Return the items of a computed list that is written as YAML, an item a line."""
        if name not in self._lists:
            self._lists[name] = self._read_items(name)
        return self._lists[name]

    def _read_items(self, name: str) -> list[Rendered]:
        question = self.questions.get(name, {})
        if question.get("when", True) is not False or question["type"] != "yaml":
            return []
        pieces: list[Piece] = []
        try:
            text = "".join(self._marked(self.jinja.parse(question["default"]).body, {}, pieces))
        except ValueError:
            return []
        lines = [rendered for line in text.splitlines() for rendered in self._joined(self._parts(line, pieces))]
        return [Rendered(line.text[2:], line.conditions) for line in lines if line.text.startswith("- ")]

    def _values(self, name: str) -> list[Any]:
        """Return the values that a question offers."""
        choices = self.questions[name].get("choices", [])
        values = choices.values() if isinstance(choices, dict) else choices
        return [value["value"] if isinstance(value, dict) else value for value in values]

    def _meant(self, name: str) -> nodes.Node | None:
        """Return the condition under which a computed answer is true."""
        match self._computed(name):
            case nodes.CondExpr(test=test, expr1=nodes.Const(value=value), expr2=nodes.Const(value="")) if value:
                return test
            case nodes.And() | nodes.Or() | nodes.Not() | nodes.Compare() as condition:
                return condition
        return None

    def _compute(self, name: str, answers: dict[str, Any]) -> None:
        """Add a computed answer, and those that it needs."""
        if name in answers or name not in self.questions:
            return
        question = self.questions[name]
        if question.get("when", True) is not False:
            answers[name] = ""  # a question that was not asked
            return
        default = str(question["default"])
        for other in self._needed(default):
            self._compute(other, answers)
        text = self.jinja.from_string(default).render(answers)
        answers[name] = yaml.safe_load(text) if question["type"] in {"json", "yaml"} else text

    def _needed(self, source: str) -> set[str]:
        text = source if "{" in source else f"{{{{ {source} }}}}"
        return jinja2.meta.find_undeclared_variables(self.jinja.parse(text))


def outputs(tree: nodes.Template) -> list[nodes.Node]:
    """Return the texts and expressions of a Jinja text without statements."""
    return [node for output in tree.body if isinstance(output, nodes.Output) for node in output.nodes]


def questions(file: Path) -> dict[str, Any]:
    """Return the settings and questions of copier.yml and of the files that it includes."""

    class Loader(yaml.SafeLoader):
        """YAML with Copier's `!include`."""

    def include(loader: Loader, node: yaml.ScalarNode) -> dict[str, Any]:
        return questions(file.parent / str(loader.construct_scalar(node)))

    Loader.add_constructor("!include", include)
    with file.open(encoding="utf-8") as stream:
        documents = list(yaml.load_all(stream, Loader))
    return {key: value for document in documents for key, value in document.items()}


def located(argument: str) -> tuple[str, dict[str, Any] | None]:
    """Return a path relative to its project, and the answers of a generated project; `:line` at its end is ignored."""
    path = Path(re.sub(r":[\d:]*$", "", argument))
    for folder in path.absolute().parents:
        if (folder / ANSWERS).is_file():
            answers = yaml.safe_load((folder / ANSWERS).read_text(encoding="utf-8"))
            return path.absolute().relative_to(folder).as_posix(), answers
    return PurePath(path).as_posix(), None


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", metavar="PATH", nargs="*", help="a path in a project, such as src/shop/core/errors.py")
    parser.add_argument("--all", action="store_true", help="list every template, its path and its condition")
    options = parser.parse_args(arguments)
    if bool(options.paths) == options.all:
        parser.error("give paths, or --all")
    template = Template()
    if options.all:
        for landing in template.landings:
            print(f"{landing.template}\n  {landing.path}\n    {describe(landing)}")
        return 0
    unknown = False
    for argument in options.paths:
        path, answers = located(argument)
        found = template.find(path, answers)
        if not found:
            unknown = True
            print(f"no template renders {path}{' with the answers of its project' if answers else ''}", file=sys.stderr)
            continue
        print(path)
        for landing in found:
            print(f"  {landing.template}\n    {describe(landing, path)}")
            for name in template.includes(landing):
                print(f"    includes {name}")
    return int(unknown)


def describe(landing: Landing, path: str = "") -> str:
    """Return the condition of a landing; at `path`, with the names that it has there."""
    condition = landing.condition
    for name, value in (landing.match(path) or {}).items():
        condition = re.sub(rf"\b{name} in\b", f"'{value}' in", condition)
    return f"if {condition}" if condition else "always"


if __name__ == "__main__":
    sys.exit(main())
