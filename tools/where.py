"""Find the template of a path in a generated project, and the answers that render it.

Overlays and parts are named alike, so their names say it: see docs/architecture.md. A path inside a generated project
(a folder with .copier-answers.yml) is looked up with its answers.
"""

import argparse
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePath
from typing import Any

import jinja2
import yaml

ROOT = Path(__file__).resolve().parent.parent
ANSWERS = ".copier-answers.yml"
# An overlay; the folder of a scaffold.
OVERLAY = re.compile(r"\{\{ at\.(\w+?)(_tests|_root)? \}\}")
SCAFFOLD = re.compile(r"\{% yield module from empty_modules %\}\{\{ module \}\}\{% endyield %\}")
FOLDERS = {"_tests": "tests", "_root": "", None: "src/<package>"}
INCLUDE = re.compile(r"include '([\w/.]+)'( ~ (\w+))?( ~ '([\w/.]+)')?")


@dataclass(frozen=True)
class Landing:
    """A path to which a template is rendered: for a project with `part`, and with each of `modules`."""

    template: str
    path: str
    part: str
    modules: tuple[str, ...]

    def match(self, path: str) -> str | None:
        """Return the name of the scaffold at `path`, or nothing for another template; None if it does not match."""
        first, *others = re.escape(self.path).replace("<package>", r"\w+").split("<module>")
        pattern = first + "".join(rf"(?P<module>\w+){each}" for each in others[:1])
        pattern += "".join(f"(?P=module){each}" for each in others[1:])
        found = re.fullmatch(pattern, path)
        return found and found.groupdict().get("module", "")


class Template:
    """The template in a repository."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root
        self.computed: dict[str, dict[str, Any]] = {}
        for file in ("4-modules.yml", "8-computed.yml"):
            questions = yaml.safe_load((root / "questions" / file).read_text(encoding="utf-8"))
            self.computed |= {key: each for key, each in questions.items() if each.get("when") is False}
        self.jinja = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)  # noqa: S701 (renders no HTML)
        self.jinja.filters["to_json"] = json.dumps

    @cached_property
    def landings(self) -> list[Landing]:
        """Every path to which a template is rendered."""
        folder = self.root / "templates"
        return [self._landing(path.relative_to(folder)) for path in sorted(folder.rglob("*")) if path.is_file()]

    def _landing(self, file: Path) -> Landing:
        overlay = OVERLAY.fullmatch(file.parts[0])
        inside = file.parts[1:] if overlay else file.parts
        known = set[str]().union(*self.catalogue.values())
        modules = tuple(known.intersection(inside[:1])) if overlay else ()
        text = PurePath(FOLDERS[overlay[2]] if overlay else "", *inside).as_posix().removesuffix(".jinja")
        scaffold = SCAFFOLD.search(text)
        text = SCAFFOLD.sub("<module>", text).replace("{{ module }}", "<module>")
        text = text.replace("{{ _copier_conf.answers_file }}", ANSWERS)
        return Landing(
            f"templates/{file.as_posix()}",
            text,
            overlay[1] if overlay else "base",
            ("<module>",) if scaffold else modules,
        )

    @cached_property
    def catalogue(self) -> dict[str, list[str]]:
        """The modules that come with code, by framework."""
        text = self.jinja.from_string(self.computed["catalogue"]["default"])
        return {framework: json.loads(text.render(framework=framework)) for framework in ("django", "fastapi", "flask")}

    @cached_property
    def features(self) -> dict[str, str]:
        """The condition of each feature."""
        text = self.computed["use"]["default"]
        local = dict(re.findall(r"\{% set (\w+) = (.*) %\}", text))
        found = re.findall(r"^ *(\w+): \{\{ (.*) \}\}$", text, flags=re.MULTILINE)
        for name, meaning in reversed(local.items()):
            found = [(key, re.sub(rf"\b{name}\b", f"({meaning})", condition)) for key, condition in found]
        return {key: re.sub(r"^\((.*)\)$", r"\1", condition) for key, condition in found}

    def values(self, answers: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answers with those that are computed from them."""
        values = dict(answers)
        for name, question in self.computed.items():
            text = self.jinja.from_string(question["default"]).render(values)
            values[name] = text if question["type"] == "str" else yaml.safe_load(text)
        return values

    def holds(self, landing: Landing, values: Mapping[str, Any], module: str = "") -> bool:
        """Return whether `values`, which include the computed ones, render a landing."""
        if landing.part not in values["parts"]:
            return False
        if landing.modules == ("<module>",):
            return not module or module in values["empty_modules"]
        return all(name in values["worked_modules"] for name in landing.modules)

    def find(self, path: str, answers: Mapping[str, Any] | None = None) -> list[Landing]:
        """Return the landings at `path`, with `answers` only those that they render."""
        values = self.values(answers) if answers is not None else None
        matched = [(landing, module) for landing in self.landings if (module := landing.match(path)) is not None]
        if values is not None:
            return [landing for landing, module in matched if self.holds(landing, values, module)]
        return [each for each, module in matched if module not in self.catalogue.get(each.part.partition("_")[0], [])]

    def condition(self, landing: Landing) -> str:
        """Return when a landing is rendered, in words of the answers."""
        owner, _, feature = landing.part.partition("_")
        needed = {"base": [], "sqlalchemy": ["framework != 'django'"]}.get(owner, [f"framework == '{owner}'"])
        if feature in self.features:
            needed.append(self.features[feature].replace("worked_modules", "modules"))
        elif feature:
            needed.append(f"'{feature}' in modules")
        needed += [f"{name} in modules" if name == "<module>" else f"'{name}' in modules" for name in landing.modules]
        needed = [each.replace("'events' in modules", "realtime or 'events' in modules") for each in needed]
        return " and ".join(dict.fromkeys(f"({each})" if " or " in each else each for each in needed)) or "always"

    def includes(self, landing: Landing, answers: Mapping[str, Any] | None = None) -> list[str]:
        """Return the files that a template includes, with `answers` without fragments of other parts."""
        parts = self.values(answers)["parts"] if answers is not None else None
        text = (self.root / landing.template).read_text(encoding="utf-8") if landing.template.endswith(".jinja") else ""
        patterns = (f"{start}{'*' * bool(name)}{end}" for start, _, name, _, end in INCLUDE.findall(text))
        files = (file.relative_to(self.root) for pattern in patterns for file in sorted(self.root.glob(pattern)))
        found = [file.as_posix() for file in files]
        return [each for each in found if parts is None or not each.startswith("parts/") or each.split("/")[1] in parts]


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
    for landing in template.landings if options.all else ():
        print(f"{landing.template}\n  {landing.path}\n    {template.condition(landing)}")
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
            condition = template.condition(landing).replace("<module>", f"'{landing.match(path)}'")
            print(f"  {landing.template}\n    {'' if condition == 'always' else 'if '}{condition}")
            for file in template.includes(landing, answers):
                print(f"    includes {file}")
    return int(unknown)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:  # such as `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
