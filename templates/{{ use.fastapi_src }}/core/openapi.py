"""The contract: what it says about every operation, and the pages that show it, with assets of our own."""

from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse, Response
from fastapi.routing import APIRoute

from .errors import ApiError
from .problems import PROBLEM_JSON, PROBLEM_SCHEMA, problem_document
from .protocol import Assets
from .security_headers import SECURITY_HEADERS

DETAIL = "What went wrong this time."
REQUEST_ID = "4bf92f3577b34da6a3ce929d0e0e4736"


def example(status: int, detail: str, **members: str) -> dict[str, Any]:
    """A problem document as it could be answered."""
    document = problem_document(status, detail, instance="/api/v1/example")
    return {**document, **members, "request_id": REQUEST_ID}


def problems(*found: int | str | type[ApiError]) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI `responses` of a route that answers with these problems.

    Args:
        found: errors with a type of their own, HTTP statuses, or `default` for any other.
    """
    schemas: dict[int | str, list[dict[str, Any]]] = {}
    examples: dict[int | str, dict[str, Any]] = {}
    titles: dict[int | str, list[str]] = {}
    for each in found:
        if isinstance(each, int | str):
            schemas.setdefault(each, []).append({"$ref": "#/components/schemas/Problem"})
            titles.setdefault(each, []).append("Problem details")
            if isinstance(each, int):
                examples.setdefault(each, {})["problem"] = {"value": example(each, DETAIL)}
        else:
            schemas.setdefault(each.status, []).append(each.schema())
            titles.setdefault(each.status, []).append(each.title)
            # Some errors say what it was only when they are raised.
            value = example(each.status, getattr(each, "detail", DETAIL), type=each.type, title=each.title)
            examples.setdefault(each.status, {})[each.type.rpartition(":")[2]] = {"value": value}
    return {
        status: {
            "description": "; ".join(titles[status]),
            "content": {
                PROBLEM_JSON: {
                    "schema": each[0] if len(each) == 1 else {"anyOf": each},
                    **({"examples": examples[status]} if status in examples else {}),
                }
            },
        }
        for status, each in schemas.items()
    }


def operation_id(route: APIRoute) -> str:
    """The tag and the function's name, as in `items_list_newest`: they stay when a path moves."""
    return "_".join([*map(str, route.tags[:1]), route.name])


class Api(FastAPI):
    """FastAPI, with the schema of problem details among the components of its contract."""

    def openapi(self) -> dict[str, Any]:
        contract = super().openapi()
        contract["components"]["schemas"]["Problem"] = PROBLEM_SCHEMA
        for item in contract["paths"].values():
            for operation in item.values():
                body = operation.get("requestBody", {"content": {}})["content"]
                statuses = (400, 408, 413, 415) if "application/json" in body else (408, 413) if body else ()
                for status, answer in problems(*statuses).items():
                    operation["responses"].setdefault(str(status), answer)
                operation["responses"] = dict(sorted(operation["responses"].items()))
        return contract


CSP = "Content-Security-Policy"
# Swagger UI embeds its icons.
SWAGGER_UI_HEADERS = {CSP: f"{SECURITY_HEADERS[CSP]}; img-src 'self' data:"}
# ReDoc also writes its styles into the page, and searches in a worker that it makes.
REDOC_HEADERS = {CSP: f"{SWAGGER_UI_HEADERS[CSP]}; style-src 'self' 'unsafe-inline'; worker-src blob:"}
SWAGGER_UI = """\
<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>API - Swagger UI</title>
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
  <div id="swagger-ui"></div>
  <script src="docs/swagger-ui-bundle.js"></script>
  <script src="docs/start.js"></script>
</body>
</html>
"""
START_SWAGGER_UI = """\
SwaggerUIBundle({ url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true });
"""
REDOC = """\
<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>API - ReDoc</title>
  <link rel="icon" href="data:,">
</head>
<body style="margin: 0">
  <redoc spec-url="openapi.json"></redoc>
  <script src="redoc/redoc.standalone.js"></script>
</body>
</html>
"""

pages = APIRouter(include_in_schema=False)


@pages.get("/docs")
async def swagger_ui() -> HTMLResponse:
    return HTMLResponse(SWAGGER_UI, headers=SWAGGER_UI_HEADERS)


@pages.get("/docs/start.js")
async def start_swagger_ui() -> Response:
    return Response(START_SWAGGER_UI, media_type="text/javascript")


@pages.get("/redoc")
async def redoc() -> HTMLResponse:
    return HTMLResponse(REDOC, headers=REDOC_HEADERS)


pages.mount("/docs", Assets(packages=[("fastapi_standalone_docs", "static/swagger")]))
pages.mount("/redoc", Assets(packages=[("fastapi_standalone_docs", "static/redoc")]))
