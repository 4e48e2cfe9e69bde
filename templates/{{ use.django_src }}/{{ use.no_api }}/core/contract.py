"""What the OpenAPI document says of a view, written beside the view."""

import re
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any, TypeVar

from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver

from .problems import PROBLEM_JSON, PROBLEM_SCHEMA

View = TypeVar("View", bound=Callable[..., Any])


def described(method: str, operation_id: str, **operation: object) -> Callable[[View], View]:
    """A decorator that puts a view into the contract; the first line of its docstring is the summary.

    Args:
        method: in lower case, such as `post`.
        operation_id: unique in the contract.
        operation: the rest of OpenAPI's Operation Object; every operation may also answer with a problem.
    """

    def describe(view: View) -> View:
        summary, _, description = (view.__doc__ or operation_id).partition("\n")
        described = {"operationId": operation_id, "summary": summary, **operation}
        if description.strip():
            described["description"] = description.strip()
        vars(view).setdefault("operations", {})[method] = described
        return view

    return describe


def json_answer(status: int, schema: dict[str, Any]) -> dict[str, Any]:
    """One of the `responses` of an operation, with a JSON body."""
    content = {"application/json": {"schema": schema}}
    return {str(status): {"description": HTTPStatus(status).phrase, "content": content}}


def problem_answer(status: int | str, description: str) -> dict[str, Any]:
    """One of the `responses` of an operation, with problem details."""
    content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {str(status): {"description": description, "content": content}}


def contract() -> dict[str, Any]:
    """The OpenAPI document of every view that is described."""
    paths: dict[str, Any] = {}
    for path, view in _views(get_resolver().url_patterns):
        for method, operation in getattr(view, "operations", {}).items():
            responses = {**operation["responses"], **problem_answer("default", "Any other error")}
            paths.setdefault(path, {})[method] = {**operation, "responses": responses}
    return {
        "openapi": "3.1.1",
        "info": settings.API,
        "paths": paths,
        "components": {"schemas": {"Problem": PROBLEM_SCHEMA}},
    }


def _views(patterns: Iterable[URLPattern | URLResolver], prefix: str = "/") -> Iterator[tuple[str, object]]:
    for pattern in patterns:
        path = prefix + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from _views(pattern.url_patterns, path)
        else:
            yield path, pattern.callback
