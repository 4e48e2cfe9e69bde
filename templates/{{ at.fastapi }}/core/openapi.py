"""The OpenAPI document: its errors, its operation ids, and the pages that show it."""

import json
from collections.abc import Iterator
from secrets import token_urlsafe
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from fastapi.staticfiles import StaticFiles

from .errors import ApiError
from .problems import PROBLEM_JSON, PROBLEM_SCHEMA, Problem
from .security_headers import CSP, CSP_HEADER

SCHEMAS = "#/components/schemas"
# Components that FastAPI does not find in a route.
COMPONENTS: dict[str, Any] = {"Problem": PROBLEM_SCHEMA}
REQUEST_ID = "4bf92f3577b34da6a3ce929d0e0e4736"


def problem_name(error: type[ApiError]) -> str:
    """Return the name of an error's schema: `SoldOutProblem` for `SoldOutError`."""
    return f"{error.__name__.removesuffix('Error')}Problem"


def problem_schema(error: type[ApiError]) -> dict[str, Any]:
    """Return the schema of an error: a problem document with a fixed type and status."""
    return {
        "title": problem_name(error),
        "description": error.title,
        "allOf": [
            {"$ref": f"{SCHEMAS}/Problem"},
            {
                "type": "object",
                "required": ["type", "status"],
                # Enums of one value: some generators cannot merge `const`.
                "properties": {
                    "type": {"type": "string", "enum": [error.type]},
                    "status": {"type": "integer", "enum": [error.status]},
                },
            },
        ],
    }


def problems(*errors: int | str | type[ApiError]) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route with these errors or statuses; `default` is any other status."""
    grouped: dict[int | str, list[int | str | type[ApiError]]] = {}
    for error in errors:
        grouped.setdefault(error if isinstance(error, int | str) else error.status, []).append(error)
    return {status: _response(status, each) for status, each in grouped.items()}


def _response(status: int | str, errors: list[int | str | type[ApiError]]) -> dict[str, Any]:
    schemas, titles, examples = [], [], {}
    for error in errors:
        typed = None if isinstance(error, int | str) else error
        schemas.append({"$ref": f"{SCHEMAS}/{problem_name(typed) if typed else 'Problem'}"})
        titles.append(typed.title if typed else "Problem details")
        if isinstance(status, int):
            # Some errors have a detail only once they are raised.
            detail = getattr(typed, "detail", "What went wrong this time.")
            example = {
                **Problem(status, detail).document("/api/v1/example"),
                "request_id": REQUEST_ID,
            }
            if typed:
                example |= {"type": typed.type, "title": typed.title}
            examples[typed.type.rpartition(":")[2] if typed else "problem"] = {"value": example}
    content: dict[str, Any] = {"schema": schemas[0] if len(schemas) == 1 else {"oneOf": schemas}}
    if examples:
        content["examples"] = examples
    return {"description": "; ".join(titles), "content": {PROBLEM_JSON: content}}


def operation_id(route: APIRoute) -> str:
    """Return the tag and the function's name, as in `billing_list_invoices`."""
    return "_".join([*map(str, route.tags[:1]), route.name])


class Api(FastAPI):
    """FastAPI with all components in its OpenAPI document."""

    def openapi(self) -> dict[str, Any]:
        contract = super().openapi()
        for item in contract["paths"].values():
            for operation in item.values():
                _add_body_errors(operation)
        schemas = contract.setdefault("components", {}).setdefault("schemas", {})
        schemas |= {name: schema for name, schema in COMPONENTS.items() if name not in schemas}
        text = json.dumps(contract)
        schemas |= {
            problem_name(error): problem_schema(error)
            for error in _subclasses(ApiError)
            if f'"{SCHEMAS}/{problem_name(error)}"' in text
        }
        return contract


def _add_body_errors(operation: dict[str, Any]) -> None:
    body = operation.get("requestBody", {}).get("content", {})
    statuses = (400, 413, 415) if "application/json" in body else (413,) if body else ()
    for status, response in problems(*statuses).items():
        operation["responses"].setdefault(str(status), response)
    operation["responses"] = dict(sorted(operation["responses"].items()))


def _subclasses(parent: type[ApiError]) -> Iterator[type[ApiError]]:
    for child in parent.__subclasses__():
        yield child
        yield from _subclasses(child)


docs = APIRouter(include_in_schema=False)


@docs.get("/docs")
async def swagger_ui(request: Request) -> HTMLResponse:
    page = get_swagger_ui_html(
        openapi_url="openapi.json",
        title=f"{request.app.title} - Swagger UI",
        swagger_js_url="docs/swagger-ui-bundle.js",
        swagger_css_url="docs/swagger-ui.css",
        swagger_favicon_url="data:,",
    )
    # FastAPI starts Swagger UI by an inline script.
    nonce = token_urlsafe()
    text = bytes(page.body).decode().replace("<script>", f'<script nonce="{nonce}">')
    policy = f"{CSP}; script-src 'self' 'nonce-{nonce}'; img-src 'self' data:"
    return HTMLResponse(text, headers={CSP_HEADER: policy})


@docs.get("/redoc")
async def redoc(request: Request) -> HTMLResponse:
    page = get_redoc_html(
        openapi_url="openapi.json",
        title=f"{request.app.title} - ReDoc",
        redoc_js_url="redoc/redoc.standalone.js",
        redoc_favicon_url="data:,",
        with_google_fonts=False,
    )
    # ReDoc styles the page inline, and searches in a worker.
    page.headers[CSP_HEADER] = (
        f"{CSP}; img-src 'self' data:; style-src 'self' 'unsafe-inline'; worker-src blob:"
    )
    return page


docs.mount("/docs", StaticFiles(packages=[("fastapi_standalone_docs", "static/swagger")]))
docs.mount("/redoc", StaticFiles(packages=[("fastapi_standalone_docs", "static/redoc")]))
