"""Find the template of a path in a generated project, and the answers that render it.

Everything is read from copier.yml, its question files and the names below templates/. A path inside a generated project
(a folder with .copier-answers.yml) is looked up with its answers.
"""

import argparse
import itertools
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePath
from typing import Any

import yaml
from conditions import Questions, Rendered
from jinja2 import nodes

ROOT = Path(__file__).resolve().parent.parent
SUFFIX = ".jinja"
ANSWERS = ".copier-answers.yml"
# A path part that is rendered once for each item of a list.
YIELD = re.compile(r"\{% yield (\w+) from (\w+) %\}(.*)\{% endyield %\}")
COMPARED = re.compile(r"(\w+) (==|!=) ('[^']*')")


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
        # What compares an answer comes first, such as the framework.
        return " and ".join(sorted(dict.fromkeys(needed), key=lambda each: not COMPARED.fullmatch(each)))

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
        self.questions = Questions(root)

    @cached_property
    def landings(self) -> list[Landing]:
        """Every path to which a template is rendered."""
        folder = self.root / str(self.questions.questions["_subdirectory"])
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

    def holds(self, landing: Landing, answers: Mapping[str, Any]) -> bool:
        """Return whether `answers` render a landing."""
        return not landing.condition or self.questions.holds(landing.condition, answers)

    def includes(self, landing: Landing, answers: Mapping[str, Any] | None = None) -> list[str]:
        """Return the files that a template includes, at any depth.

        Without `answers`, `*` stands for what these decide.
        """
        found: list[str] = []
        waiting = [landing.template] if landing.template.endswith(SUFFIX) else []
        while waiting:
            tree = self.questions.jinja.parse((self.root / waiting.pop(0)).read_text(encoding="utf-8"))
            patterns = [
                pattern for node in tree.find_all(nodes.Include) for pattern in self._included(node, tree, answers)
            ]
            for pattern in dict.fromkeys(patterns):
                files = [path.relative_to(self.root).as_posix() for path in sorted(self.root.glob(pattern))]
                if pattern not in found and (files or answers is None):
                    found.append(pattern)
                    waiting += files
        return found

    def _included(self, node: nodes.Include, tree: nodes.Template, answers: Mapping[str, Any] | None) -> Iterator[str]:
        """Yield the paths that a statement includes."""
        loops = {
            loop.target.name: loop.iter.name
            for loop in tree.find_all(nodes.For)
            if isinstance(loop.target, nodes.Name) and isinstance(loop.iter, nodes.Name)
            if any(inner is node for inner in loop.find_all(nodes.Include))
        }
        for text, _ in self.questions.texts(node.template, {}):
            literals, names = re.split(r"<\w+>", text), re.findall(r"<(\w+)>", text)
            values: list[list[str]] = []
            for name in names:
                value = self.questions.value(loops.get(name, name), answers) if answers else None
                values.append([str(each) for each in value] if isinstance(value, list) else [str(value or "*")])
            for choice in itertools.product(*values):
                yield "".join(itertools.chain.from_iterable(itertools.zip_longest(literals, choice, fillvalue="")))

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
                for rendered in self.questions.template(inner, {item: (nodes.Const(f"<{item}>"), {})})
            ]
        return self.questions.template(part, {})


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
            for name in template.includes(landing, answers):
                print(f"    includes {name}")
    return int(unknown)


def describe(landing: Landing, path: str = "") -> str:
    """Return the condition of a landing; at `path`, with the names that it has there."""
    condition = landing.condition
    for name, value in (landing.match(path) or {}).items():
        condition = re.sub(rf"\b{name} in\b", f"'{value}' in", condition)
    return f"if {condition}" if condition else "always"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:  # such as `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
