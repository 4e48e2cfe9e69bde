"""The rules of the layout, as docs/architecture.md states them: each holds, and a violation of each is named."""

import ast
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import jinja2
import pytest
import yaml
from support import ROOT
from update import FROZEN

OWNERS = ("base", "django", "fastapi", "flask", "sqlalchemy")
OVERLAY = re.compile(rf"\{{\{{ at\.({'|'.join(OWNERS)})(_\w+)? \}}\}}")
SCAFFOLD = "{% yield module from empty_modules %}{{ module }}{% endyield %}"
FEATURE = re.compile(
    r"\{% (el)?if [^%]*\b(use\.|parts|pages|admin_ui|realtime|api|docs|database)\b[^%]*%\}|\{\{[^}]*\b(use\.\w|parts)\b"
)
INCLUDED = re.compile(r"'parts/' ~ part ~ '/([\w.]+)' ignore missing")
LONGEST = 160
CONTROL_LINES = 12
# They are prose about every answer.
PROSE = ("README.md.jinja", "0001-framework.md.jinja")


def computed(root: Path) -> dict[str, str]:
    """Return the text of each computed answer."""
    questions = yaml.safe_load((root / "questions/8-computed.yml").read_text(encoding="utf-8"))
    return {key: str(question["default"]) for key, question in questions.items()}


def keys(text: str) -> list[str]:
    """Return the keys of a computed map, which has a line for each."""
    return re.findall(r"^ *(\w+):", text, flags=re.MULTILINE)


def catalogue(root: Path) -> set[str]:
    """Return the modules that come with code."""
    questions = yaml.safe_load((root / "questions/4-modules.yml").read_text(encoding="utf-8"))
    return set(re.findall(r"'(\w+)'(?!:)", questions["catalogue"]["default"]))


def templates(root: Path) -> Iterator[Path]:
    """Yield the paths of templates, below templates/."""
    return (path.relative_to(root / "templates") for path in (root / "templates").rglob("*") if path.is_file())


def fragments(root: Path) -> Iterator[Path]:
    """Yield the paths of fragments, below parts/."""
    return (path.relative_to(root / "parts") for path in (root / "parts").rglob("*") if path.is_file())


def module_files(root: Path) -> Iterator[Path]:
    """Yield the templates inside a module, its tests and its migrations."""
    inside = {"migrations", SCAFFOLD, *catalogue(root)}
    return (path for path in templates(root) if inside & set(path.parts))


def unnamed_overlays(root: Path) -> list[str]:
    known = keys(computed(root)["at"])
    found = []
    for path in templates(root):
        name = OVERLAY.fullmatch(path.parts[0])
        first = bool(name) and path.parts[0][6:-3] in known
        if ("at." in path.parts[0] and not first) or any("at." in part or "use." in part for part in path.parts[1:]):
            found.append(path.as_posix())
    return found


def switched_folders(root: Path) -> list[str]:
    """Return the folders whose name is rendered, except that of a scaffold."""
    return sorted(
        {path.as_posix() for path in templates(root) for part in path.parts[1:-1] if "{" in part and part != SCAFFOLD}
    )


def features_in_modules(root: Path) -> list[str]:
    return [
        f"{path.as_posix()}: {line.strip()}"
        for path in module_files(root)
        if path.suffix == ".jinja"
        for line in (root / "templates" / path).read_text(encoding="utf-8").splitlines()
        if FEATURE.search(line)
    ]


def wiring_in_code(root: Path) -> list[str]:
    """Return the lists of modules that hold more than names, so that a module would be wired by an edit there."""
    files = [path for path in templates(root) if path.name == "modules.py.jinja"]
    jinja = jinja2.Environment(trim_blocks=True)  # noqa: S701 (renders no HTML)
    found = []
    for path in files:
        text = (root / "templates" / path).read_text(encoding="utf-8")
        match ast.parse(jinja.from_string(text).render(domain_modules=["items"])).body:
            case [ast.Expr(), ast.Assign(value=ast.List()) | ast.AnnAssign(value=ast.List())]:
                continue
        found.append(path.as_posix())
    return found


def conditions_in_settings(root: Path) -> list[str]:
    return [
        f"{path}:{n}"
        for path, lines in texts(root)
        for n, line in enumerate(lines, 1)
        if path.endswith("/core/settings.py.jinja") and re.search(r"\{%-? *if|\{\{.* if ", line)
    ]


def ternaries_in_prose(root: Path) -> list[str]:
    return [
        f"{path}:{n}"
        for path, lines in texts(root)
        for n, line in enumerate(lines, 1)
        if ".md" in path and not path.endswith(PROSE[1]) and re.search(r"\{\{[^}]* if ", line)
    ]


def frozen_answers(root: Path) -> list[str]:
    """Return the questions that an update cannot answer differently, besides those that decide what a project is."""
    found: dict[str, str] = {}
    for file in (root / "questions").glob("*.yml"):
        for document in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            found |= {key: str(value.get("validator", "")) for key, value in document.items()}
    return sorted({key for key, validator in found.items() if "frozen_problem(" in validator} - {*FROZEN})


def unknown_parts(root: Path) -> list[str]:
    features = {*keys(computed(root)["use"]), *catalogue(root)}
    known = {*OWNERS, *features, *(f"{owner}_{feature}" for owner in OWNERS for feature in features)}
    return sorted({path.parts[0] for path in fragments(root)} - known)


def unasked_parts(root: Path) -> list[str]:
    """Return the features whose condition names neither a question nor a module."""
    questions: set[str] = set()
    for file in (root / "questions").glob("*.yml"):
        for document in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            questions |= {key for key, value in document.items() if value.get("when", True) is not False}
    conditions = re.findall(r"^ *(\w+): \{\{ (.*) \}\}$", computed(root)["use"], flags=re.MULTILINE)
    local = re.findall(r"\{% set (\w+) = ", computed(root)["use"])
    known = {*questions, *local, "has_accounts", "worked_modules"}
    return [name for name, condition in conditions if not known & set(re.findall(r"\w+", condition))]


def fragments_without_reader(root: Path) -> list[str]:
    texts = [
        (root / "templates" / path).read_text(encoding="utf-8") for path in templates(root) if path.suffix == ".jinja"
    ]
    read = {name for text in texts for name in INCLUDED.findall(text)}
    return [path.as_posix() for path in fragments(root) if "/".join(path.parts[1:]) not in read]


def modules_named_like_parts(root: Path) -> list[str]:
    return sorted(catalogue(root) & {*OWNERS, *keys(computed(root)["use"])})


def texts(root: Path) -> Iterator[tuple[str, list[str]]]:
    for folder in ("templates", "parts"):
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and path.suffix not in (".js", ".css", ".svg") and "static" not in path.parts:
                yield path.relative_to(root).as_posix(), path.read_text(encoding="utf-8").splitlines()


def long_lines(root: Path) -> list[str]:
    return [f"{path}:{n}" for path, lines in texts(root) for n, line in enumerate(lines, 1) if len(line) > LONGEST]


def raw_blocks(root: Path) -> list[str]:
    return [
        f"{path}:{n}"
        for path, lines in texts(root)
        for n, line in enumerate(lines, 1)
        if "{% raw" in line and not path.endswith(".html")
    ]


def templates_without_a_variable(root: Path) -> list[str]:
    """Return the `.jinja` files that hold nothing to render, which hides them from linters."""
    jinja = (path for path in templates(root) if path.suffix == ".jinja")
    return [
        path.as_posix()
        for path in jinja
        if not re.search(r"\{[{%]", (root / "templates" / path).read_text(encoding="utf-8"))
    ]


def crowded_files(root: Path) -> list[str]:
    return [
        path
        for path, lines in texts(root)
        if not path.endswith(PROSE) and path.endswith((".jinja", ".md", ".toml", ".just", ".py"))
        # A line that puts together what the parts say is not a decision.
        if sum(line.lstrip().startswith("{%") and "for part in parts" not in line for line in lines) > CONTROL_LINES
        and ".html" not in path
    ]


# A function, and a violation: its path, its text, and what names it. In the order of docs/architecture.md, where rule 8
# has several; rule 9 is about what really landed, see test_render.py.
RULES: dict[Callable[[Path], list[str]], tuple[str, str, str]] = {
    unnamed_overlays: ("templates/{{ at.fastapi }}/{{ use.pages }}/x.py", "", "{{ use.pages }}"),
    switched_folders: ("templates/{{ at.flask }}/{{ 'x' if pages }}/x.py", "", "{{ 'x' if pages }}"),
    features_in_modules: (
        "templates/{{ at.flask }}/billing/x.py.jinja",
        "{% if use.pages %}\n{% endif %}\n",
        "x.py.jinja",
    ),
    wiring_in_code: (
        "templates/{{ at.flask }}/modules.py.jinja",
        '"""Modules."""\nfrom .items import router\nMODULES = [router]\n',
        "modules.py.jinja",
    ),
    conditions_in_settings: (
        "templates/{{ at.base }}/core/settings.py.jinja",
        "{% if pages %}\nEMAIL = 1\n{% endif %}\n",
        "settings.py.jinja:1",
    ),
    ternaries_in_prose: ("parts/flask/readme.md", "Sign in{{ ' here' if pages else '' }}.\n", "readme.md:1"),
    frozen_answers: (
        "questions/6-services.yml",
        "sentry: {type: bool, validator: \"{{ frozen_problem('sentry', previous.sentry, sentry) }}\"}\n",
        "sentry",
    ),
    unknown_parts: ("parts/fastapi_mailer/env", "X=1\n", "fastapi_mailer"),
    fragments_without_reader: ("parts/flask/compose.yaml", "x: 1\n", "flask/compose.yaml"),
    modules_named_like_parts: ("questions/4-modules.yml", "catalogue: {default: \"{{ ['pages'] }}\"}\n", "pages"),
    long_lines: ("parts/flask/long.md", "x" * 161 + "\n", "parts/flask/long.md:1"),
    raw_blocks: ("parts/flask/raw.md", "{% raw %}{% endraw %}\n", "parts/flask/raw.md:1"),
    templates_without_a_variable: ("templates/{{ at.flask }}/core/plain.py.jinja", "PLAIN = 1\n", "plain.py.jinja"),
    crowded_files: ("parts/flask/crowded.md", "{% if true %}\n{% endif %}\n" * 7, "parts/flask/crowded.md"),
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule_holds(rule: Callable[[Path], list[str]]) -> None:
    assert rule(ROOT) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_violation_is_named(rule: Callable[[Path], list[str]], template: Path, tmp_path: Path) -> None:
    broken = Path(shutil.copytree(template, tmp_path / "template"))
    path, text, named = RULES[rule]
    (broken / path).parent.mkdir(parents=True, exist_ok=True)
    (broken / path).write_text(text, encoding="utf-8")
    assert any(named in each for each in rule(broken))


def test_part_without_a_question_is_named(template: Path, tmp_path: Path) -> None:
    assert unasked_parts(ROOT) == []
    broken = Path(shutil.copytree(template, tmp_path / "template"))
    file = broken / "questions/8-computed.yml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("    docs: {{ docs }}\n", "    docs: {{ docs }}\n    mailer: {{ mailer }}\n"))
    assert unasked_parts(broken) == ["mailer"]


def test_overlays_are_the_folders_and_go_where_their_names_say() -> None:
    folders = {path.name[6:-3] for path in (ROOT / "templates").iterdir() if path.name.startswith("{{ at.")}
    targets = dict(re.findall(r"^ *(\w+): \"\{\{ (\S+)", computed(ROOT)["at"], flags=re.MULTILINE))
    assert targets.keys() == folders
    ends = {"tests": "'tests'", "root": "'.'"}
    assert targets == {name: ends.get(name.rpartition("_")[2], "src") for name in targets}


def test_architecture_lists_every_fragment_name() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"`([\w.]+)`", text[text.index("| fragments |") : text.index("## From a rendered file")]))
    assert {path.name for path in fragments(ROOT)} - listed == set()
