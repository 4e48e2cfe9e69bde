"""Read what Copier's questions compute, as texts and conditions in words of the answers.

It is Jinja, so this is a small interpreter that knows no answers: an expression gives every text that it can render to,
each with its conditions. Computed answers are replaced by what they are computed from, as far as it can be read.
"""

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import jinja2.meta
import yaml
from jinja2 import nodes

COMPARISONS = {"eq": "==", "ne": "!=", "lt": "<", "lteq": "<=", "gt": ">", "gteq": ">=", "in": "in", "notin": "not in"}
EQUAL = re.compile(r"(\w+) == ('[^']*')")
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


class Unreadable(ValueError):  # noqa: N818 (says what it is)
    """A statement or an expression that this interpreter does not know."""


class Questions:
    """The settings and questions of a template."""

    def __init__(self, root: Path) -> None:
        self.jinja = jinja2.Environment(  # noqa: S701 (renders no HTML)
            loader=jinja2.FileSystemLoader(root),
            extensions=["jinja2_ansible_filters.AnsibleCoreFiltersExtension"],
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.questions = load(root / "copier.yml")
        self._maps: dict[str, dict[str, list[Piece]]] = {}
        self._lists: dict[str, list[Rendered]] = {}
        self._expressions: dict[str, nodes.Node | None] = {}
        self._compiled: dict[str, tuple[Callable[..., Any], set[str]]] = {}

    def holds(self, condition: str, answers: Mapping[str, Any]) -> bool:
        """Return whether a condition is true of `answers`, which may lack what questions compute."""
        if condition not in self._compiled:
            self._compiled[condition] = self.jinja.compile_expression(condition), self._needed(condition)
        expression, needed = self._compiled[condition]
        known = dict(answers)
        for name in needed:
            self._compute(name, known)
        return bool(expression(known))

    def value(self, name: str, answers: Mapping[str, Any]) -> Any:
        """Return an answer, computed if `answers` lack it."""
        known = dict(answers)
        self._compute(name, known)
        return known.get(name)

    def template(self, source: str, scope: Scope) -> list[Rendered]:
        """Return what a Jinja text without statements renders to."""
        return self._joined([(node, scope) for node in outputs(self.jinja.parse(source))])

    def _joined(self, pieces: Sequence[Piece]) -> list[Rendered]:
        choices = itertools.product(*(self.texts(node, scope) for node, scope in pieces))
        return [
            Rendered(
                "".join(rendered.text for rendered in choice),
                tuple(itertools.chain.from_iterable(rendered.conditions for rendered in choice)),
            )
            for choice in choices
        ]

    def texts(self, node: nodes.Node, scope: Scope) -> list[Rendered]:  # noqa: PLR0911 (one for each kind of node)
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
                    for rendered in self.texts(branch, scope)
                ]
            case nodes.Name() if node.name in scope:
                return self.texts(*scope[node.name])
            case nodes.Name():
                chosen = self._computed(node.name)
                return self.texts(chosen, {}) if isinstance(chosen, nodes.CondExpr) else [Rendered(f"<{node.name}>")]
            case nodes.Getattr(node=nodes.Name(name="_copier_conf")):
                return [Rendered(str(self.questions[f"_{node.attr}"]))]
            case nodes.Getattr(node=nodes.Name(name=name)) if name in self.questions:
                return self._joined(self.targets(name)[node.attr])
        return [Rendered("<value>")]

    def _computed(self, name: str) -> nodes.Node | None:
        """Return the expression of an answer that is computed by one."""
        if name not in self._expressions:
            question = self.questions.get(name, {})
            computed = question.get("when", True) is False and isinstance(question["default"], str)
            found = outputs(self.jinja.parse(question["default"])) if computed else []
            self._expressions[name] = found[0] if len(found) == 1 else None
        return self._expressions[name]

    def targets(self, name: str) -> dict[str, list[Piece]]:
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
                        texts = self.texts(each, scope)
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
                    raise Unreadable(str(node))

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
                return (EQUAL.sub(r"\1 != \2", text) if EQUAL.fullmatch(text) else f"not {text}"), NOT
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
        raise Unreadable(str(node))

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
        found = self._looked_up(node, scope)
        if found:
            return self._all_of(*found)
        member = self._member(node)
        return [self.words(node, scope, AND)] if member is None else member

    def _truth(self, node: nodes.Node, scope: Scope, level: int) -> str:
        """Return the words of a condition; an answer computed from conditions stands for these."""
        if isinstance(node, nodes.Name) and node.name in scope:
            return self._truth(*scope[node.name], level)
        meant = self._meant(node.name) if isinstance(node, nodes.Name) else None
        if meant:
            return self._truth(meant, {}, level)
        found = self._looked_up(node, scope)
        if found:
            return self._truth(*found, level)
        member = self._member(node)
        if member is None:
            return self.words(node, scope, level)
        text = " and ".join(member) or "true"
        return f"({text})" if len(member) > 1 and level > AND else text

    def _looked_up(self, node: nodes.Node, scope: Scope) -> Piece | None:
        """Return the expression of a value of a computed map."""
        match node:
            case nodes.Getattr(node=nodes.Name(name=name), attr=key):
                keys = [key]
            case nodes.Getitem(node=nodes.Name(name=name), arg=arg):
                keys = [each.text for each in self.texts(arg, scope)]
            case _:
                return None
        if len(keys) != 1 or name in scope or self.questions.get(name, {}).get("type") != "yaml":
            return None
        pieces = self.targets(name).get(keys[0], [])
        return pieces[0] if len(pieces) == 1 else None

    def _member(self, node: nodes.Node) -> list[str] | None:
        """Return the conditions under which a text is in a computed list, if these can be read."""
        match node:
            case nodes.Compare(
                expr=nodes.Const(value=str(value)), ops=[nodes.Operand(op="in", expr=nodes.Name(name=name))]
            ):
                return self.membership(value, name)
        return None

    def membership(self, value: str, name: str) -> list[str] | None:
        """Return the conditions under which a computed list has `value`; None if it never has, or cannot be read."""
        # A literal item comes before one that consists of answers.
        for item in sorted(self._items(name), key=lambda item: item.text.count("<")):
            found = self._matched(item, value)
            if found is not None:
                return found
        return None

    def _matched(self, item: Rendered, value: str) -> list[str] | None:
        """Return the conditions under which an item is `value`, or None if it never is."""
        pattern = re.sub(r"<(\w+)>", r"(?P<\1>\\w+)", item.text)
        found = re.fullmatch(pattern, value)
        if found is None:
            return None
        conditions = list(item.conditions)
        for name, part in found.groupdict().items():
            offered = self.values(name)
            if offered and part not in offered:
                return None
            conditions.append(f"{name} == {part!r}" if offered else f"{part!r} in {name}")
        return conditions

    def _items(self, name: str) -> list[Rendered]:
        """Return the items of a computed list that is written as YAML, an item a line; none if it cannot be read."""
        if name not in self._lists:
            question = self.questions.get(name, {})
            self._lists[name] = []
            if question.get("when", True) is False and question["type"] == "yaml":
                try:
                    self._lists[name] = list(self._lines(self.jinja.parse(question["default"]).body, {}, {}))
                except Unreadable:
                    self._lists[name] = []
        return self._lists[name]

    def _lines(
        self, body: Sequence[nodes.Node], scope: dict[str, Piece], lists: dict[str, list[Rendered]]
    ) -> Iterator[Rendered]:
        """Yield the items that statements write, or append to `lists`."""
        for node in body:
            match node:
                case nodes.Assign(target=nodes.Name(name=name)):
                    try:
                        lists[name] = self._elements(node.node, scope, lists)
                    except Unreadable:
                        scope[name] = node.node, dict(scope)
                case nodes.For():
                    yield from self._loop(node, scope, lists)
                case nodes.Output():
                    for pieces in lines_of(node.nodes):
                        if appended := appends(pieces):
                            lists[appended[0]] += self.texts(appended[1], scope)
                        else:
                            texts = self._joined([(piece, scope) for piece in pieces])
                            yield from (
                                Rendered(each.text[2:], each.conditions) for each in texts if each.text[:2] == "- "
                            )
                case _:
                    raise Unreadable(str(node))

    def _loop(self, loop: nodes.For, scope: dict[str, Piece], lists: dict[str, list[Rendered]]) -> Iterator[Rendered]:
        """Yield the items that a loop writes, and append to `lists`, each with the conditions of its element."""
        if not isinstance(loop.target, nodes.Name):
            raise Unreadable(str(loop))
        for element in self._elements(loop.iter, scope, lists):
            inner = {**scope, loop.target.name: (nodes.Const(element.text), dict[str, Piece]())}
            conditions = *element.conditions, *(self._all_of(loop.test, inner) if loop.test else [])
            known = {key: list(value) for key, value in lists.items()}
            for line in self._lines(loop.body, inner, known):
                yield Rendered(line.text, (*conditions, *line.conditions))
            for key, value in lists.items():
                value += [Rendered(new.text, (*conditions, *new.conditions)) for new in known[key][len(value) :]]

    def _elements(self, node: nodes.Node, scope: Scope, lists: Mapping[str, list[Rendered]]) -> list[Rendered]:
        """Return the elements of a list, each with its conditions."""
        match node:
            case nodes.List():
                return [text for item in node.items for text in self.texts(item, scope)]
            case nodes.Add():
                return self._elements(node.left, scope, lists) + self._elements(node.right, scope, lists)
            case nodes.CondExpr():
                branches = ((node.test, node.expr1), (nodes.Not(node.test), node.expr2 or nodes.List([])))
                return [
                    Rendered(each.text, (*self._all_of(test, scope), *each.conditions))
                    for test, branch in branches
                    for each in self._elements(branch, scope, lists)
                ]
            case nodes.Name(name=name) if name in lists:
                return list(lists[name])
            case nodes.Name(name=name) if self.questions.get(name, {}).get("type") == "json":
                return [Rendered(f"<{name}>")]
            case nodes.Name(name=name) if self.questions.get(name, {}).get("type") == "yaml":
                return [Rendered(key) for key in self.targets(name)]
        raise Unreadable(str(node))

    def values(self, name: str) -> list[Any]:
        """Return the values that a question offers; none if it takes any text."""
        if self.questions[name].get("type") == "bool":
            return [True, False]
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


def lines_of(pieces: Sequence[nodes.Node]) -> Iterator[list[nodes.Node]]:
    """Yield the texts and expressions of each line."""
    line: list[nodes.Node] = []
    for piece in pieces:
        parts = piece.data.split("\n") if isinstance(piece, nodes.TemplateData) else [""]
        if not isinstance(piece, nodes.TemplateData):
            line.append(piece)
        for number, part in enumerate(parts):
            if number:
                yield line
                line = []
            line += [nodes.TemplateData(part)] if part else []
    yield line


def appends(line: Sequence[nodes.Node]) -> tuple[str, nodes.Node] | None:
    """Return the list and what is appended to it, if a line does nothing else."""
    match line:
        case [nodes.Or(left=call, right=nodes.Const(value=""))] | [call]:
            match call:
                case nodes.Call(node=nodes.Getattr(node=nodes.Name(name=name), attr="append"), args=[appended]):
                    return name, appended
    return None


def outputs(tree: nodes.Template) -> list[nodes.Node]:
    """Return the texts and expressions of a Jinja text without statements."""
    return [node for output in tree.body if isinstance(output, nodes.Output) for node in output.nodes]


def load(file: Path) -> dict[str, Any]:
    """Return the settings and questions of copier.yml and of the files that it includes."""

    class Loader(yaml.SafeLoader):
        """YAML with Copier's `!include`."""

    def include(loader: Loader, node: yaml.ScalarNode) -> dict[str, Any]:
        return load(file.parent / str(loader.construct_scalar(node)))

    Loader.add_constructor("!include", include)
    with file.open(encoding="utf-8") as stream:
        documents = list(yaml.load_all(stream, Loader))
    return {key: value for document in documents for key, value in document.items()}
