"""Write docs/api.md, the API reference of the documentation site, from docs/openapi.json."""

import json
from collections.abc import Sequence
from itertools import compress
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent.parent / "docs"
METHODS = ("get", "post", "put", "patch", "delete")

LIMITS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "pattern": "matches `{}`",
    "default": "by default `{}`",
}

Node = dict[str, Any]


def type_of(schema: Node) -> str:
    """What a schema is, in a few words; another schema is a link."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    for keyword in ("anyOf", "oneOf", "allOf"):
        if keyword in schema:
            return " or ".join(dict.fromkeys(map(type_of, schema[keyword])))
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {type_of(schema.get('items', {}))}"
    kind = schema.get("type", "anything")
    name = " or ".join(kind) if isinstance(kind, list) else kind
    return f"{name} ({schema['format']})" if "format" in schema else str(name)


def limits_of(schema: Node) -> str:
    """What holds for a value beyond its type."""
    return ", ".join(text.format(schema[keyword]) for keyword, text in LIMITS.items() if keyword in schema)


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    """A Markdown table without its empty columns, or nothing where there are no rows."""
    if not rows:
        return []
    filled = [any(column) for column in zip(*rows, strict=True)]
    lines = [tuple(compress(line, filled)) for line in (head, tuple("---" for _ in head), *rows)]
    return ["", *(f"| {' | '.join(map(cell, line))} |" for line in lines)]


def cell(text: str) -> str:
    """`text` where a line break or a pipe would end a table's cell."""
    return text.replace("\n", " ").replace("|", "\\|")


def content_type(body: Node) -> str:
    """The media types of a body, each with what it holds."""
    kinds = body.get("content", {}).items()
    return ", ".join(f"`{media}`: {type_of(kind.get('schema', {}))}" for media, kind in kinds)


def operation(method: str, path: str, details: Node) -> list[str]:
    """One operation: what it does, what it takes, what it answers."""
    parameters = [
        (
            f"`{item['name']}`",
            item["in"],
            type_of(item.get("schema", {})),
            "yes" if item.get("required") else "no",
            limits_of(item.get("schema", {})),
            item.get("description", ""),
        )
        for item in details.get("parameters", [])
    ]
    answers = [
        (status, answer.get("description", ""), content_type(answer))
        for status, answer in details["responses"].items()
    ]
    lines = ["", f"### `{method.upper()} {path}`"]
    for text in filter(None, (details.get("summary"), details.get("description"))):
        lines += ["", text]
    lines += table(("parameter", "in", "type", "required", "limits", "meaning"), parameters)
    if "requestBody" in details:
        lines += ["", f"Takes {content_type(details['requestBody'])}."]
    return lines + table(("answer", "meaning", "content"), answers)


def schema_section(name: str, schema: Node) -> list[str]:
    """One schema: its description and its properties."""
    required = schema.get("required", [])
    properties = [
        (
            f"`{key}`",
            type_of(each),
            "yes" if key in required else "no",
            limits_of(each),
            each.get("description", ""),
        )
        for key, each in schema.get("properties", {}).items()
    ]
    lines = ["", f"### {name}", *(["", schema["description"]] if "description" in schema else [])]
    return lines + table(("property", "type", "required", "limits", "meaning"), properties)


def main() -> None:
    document: Node = json.loads((DOCS / "openapi.json").read_text(encoding="utf-8"))
    lines = ["# API reference", "", "Written from `docs/openapi.json` by `just docs`.", "", "## Operations"]
    for path, methods in document["paths"].items():
        for method in METHODS:
            if method in methods:
                lines += operation(method, path, methods[method])
    lines += ["", "## Schemas"]
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        lines += schema_section(name, schema)
    (DOCS / "api.md").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
