"""The OpenAPI document: its errors, its operation ids, and the pages that show it."""

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

# A type of errors, or only a status.
Documented = int | str | type[ApiError]


def problem_name(error: Documented) -> str:
    """Return the name of an error's schema: `SoldOutProblem` for `SoldOutError`, else `Problem`."""
    return f"{error.__name__.removesuffix('Error')}Problem" if isinstance(error, type) else "Problem"


def problem_reference(error: Documented) -> dict[str, str]:
    """Return a reference to the schema of an error: a problem document with a fixed type and status."""
    name = problem_name(error)
    if isinstance(error, type):
        # Enums of one value: some generators cannot merge `const`.
        properties = {
            "type": {"type": "string", "enum": [error.type]},
            "status": {"type": "integer", "enum": [error.status]},
        }
        fixed = {"type": "object", "required": ["type", "status"], "properties": properties}
        described = {"title": name, "description": error.title}
        COMPONENTS[name] = {**described, "allOf": [{"$ref": f"{SCHEMAS}/Problem"}, fixed]}
    return {"$ref": f"{SCHEMAS}/{name}"}


def problems(*errors: Documented) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route with these errors or statuses; `default` is any other status."""
    grouped: dict[int | str, list[Documented]] = {}
    for error in errors:
        grouped.setdefault(error.status if isinstance(error, type) else error, []).append(error)
    return {status: _response(status, each) for status, each in grouped.items()}


def _response(status: int | str, errors: list[Documented]) -> dict[str, Any]:
    schemas = [problem_reference(error) for error in errors]
    content: dict[str, Any] = {"schema": schemas[0] if len(schemas) == 1 else {"anyOf": schemas}}
    if isinstance(status, int):
        content["examples"] = {problem_name(error): {"value": _example(status, error)} for error in errors}
    titles = [error.title if isinstance(error, type) else "Problem details" for error in errors]
    return {"description": "; ".join(titles), "content": {PROBLEM_JSON: content}}


def _example(status: int, error: Documented) -> dict[str, Any]:
    # Some errors have a detail only once they are raised.
    problem = Problem(status, getattr(error, "detail", "What went wrong this time."))
    named = {"type": error.type, "title": error.title} if isinstance(error, type) else {}
    return {**problem.document("/api/v1/example"), "request_id": REQUEST_ID, **named}


def operation_id(route: APIRoute) -> str:
    """Return the tag and the function's name, as in `billing_list_invoices`."""
    return "_".join([*map(str, route.tags[:1]), route.name])


class Api(FastAPI):
    """FastAPI with all components in its OpenAPI document, and the errors of request bodies."""

    def openapi(self) -> dict[str, Any]:
        contract = super().openapi()
        for item in contract["paths"].values():
            for operation in item.values():
                body = operation.get("requestBody", {}).get("content", {})
                statuses = (400, 413, 415) if "application/json" in body else (413,) if body else ()
                errors = {str(status): response for status, response in problems(*statuses).items()}
                operation["responses"] = dict(sorted({**errors, **operation["responses"]}.items()))
        components = contract.setdefault("components", {})
        components["schemas"] = {**COMPONENTS, **components.get("schemas", {})}
        return contract


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
