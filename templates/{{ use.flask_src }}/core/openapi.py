"""The contract: the OpenAPI document, and the two pages that show it to people."""

from functools import cache
from http import HTTPStatus
from importlib.metadata import distribution
from pathlib import Path
from secrets import token_urlsafe
from typing import Any, cast

from flask import (
    Blueprint,
    Response,
    current_app,
    json,
    make_response,
    render_template_string,
    send_from_directory,
)

from .problems import PROBLEM_JSON, PROBLEM_SCHEMA
from .requests import SECURITY_HEADERS

# Found without importing the package, which would read all of its files into memory.
ASSETS = Path(str(distribution("offapi").locate_file("offapi")))
ASSET_SECONDS = 3600

POLICY = "Content-Security-Policy"
PAGE_POLICY = (
    # The hash of an empty style element, which ReDoc adds and then fills by script.
    "style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
    "font-src data:",
    "img-src 'self' data:",
)

SWAGGER_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API documentation</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{{ url_for('.swagger_asset', name='swagger_style.css') }}">
</head>
<body>
<div id="swagger-ui"></div>
<script src="{{ url_for('.swagger_asset', name='swagger_bundle.js') }}"></script>
<script nonce="{{ nonce }}">
SwaggerUIBundle({url: "{{ url_for('openapi.spec') }}", dom_id: "#swagger-ui", deepLinking: true})
</script>
</body>
</html>
"""

REDOC_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API documentation</title>
<link rel="icon" href="data:,">
</head>
<body>
<redoc spec-url="{{ url_for('openapi.spec') }}" disable-telemetry="true"></redoc>
<script nonce="{{ nonce }}">
// Its search would build a worker with eval, which the policy forbids; without workers it runs in the page.
window.Worker = undefined
document.body.style.margin = 0
</script>
<script type="module" src="{{ url_for('.redoc_asset') }}"></script>
</body>
</html>
"""

pages = Blueprint("api-pages", __name__)


@pages.get("/docs")
def swagger() -> Response:
    return _page(SWAGGER_PAGE)


@pages.get("/docs/<any('swagger_bundle.js', 'swagger_style.css'):name>")
def swagger_asset(name: str) -> Response:
    return send_from_directory(ASSETS, name, max_age=ASSET_SECONDS)


@pages.get("/redoc")
def redoc() -> Response:
    return _page(REDOC_PAGE)


@pages.get("/redoc/redoc.js")
def redoc_asset() -> Response:
    response = current_app.response_class(_redoc_script(), mimetype="text/javascript")
    response.cache_control.max_age = ASSET_SECONDS
    return response


def complete(spec: dict[str, Any]) -> dict[str, Any]:
    """The document that APIFlask made, with problem details for every error and one name for every model.

    Args:
        spec: the OpenAPI document.
    """
    schemas = spec.setdefault("components", {}).setdefault("schemas", {})
    for replaced in ("HTTPError", "ValidationError"):
        schemas.pop(replaced, None)
    schemas["Problem"] = PROBLEM_SCHEMA
    content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for operations in spec["paths"].values():
        for operation in operations.values():
            responses = operation["responses"]
            responses["default"] = {"description": "Any other error"}
            for status, response in responses.items():
                if status == "default" or int(status) >= HTTPStatus.BAD_REQUEST:
                    response["content"] = content
    return _with_plain_names(spec)


def _page(template: str) -> Response:
    """A page under the policy of every answer, widened by what its own script and its styles need."""
    nonce = token_urlsafe(16)
    response = make_response(render_template_string(template, nonce=nonce))
    scripts = f"script-src 'self' 'nonce-{nonce}'"
    response.headers[POLICY] = "; ".join([SECURITY_HEADERS[POLICY], scripts, *PAGE_POLICY])
    return response


def _with_plain_names(spec: dict[str, Any]) -> dict[str, Any]:
    """APIFlask names a model inside another one `Outer.Inner`; here it is `Inner`, unless that is taken."""
    schemas = spec["components"]["schemas"]
    renamed = {}
    for name in [name for name in schemas if "." in name]:
        plain = name.rpartition(".")[2]
        if schemas.setdefault(plain, schemas[name]) == schemas[name]:
            renamed[name] = plain
            del schemas[name]
    text = json.dumps(spec)
    for name, plain in renamed.items():
        text = text.replace(f'"#/components/schemas/{name}"', f'"#/components/schemas/{plain}"')
    return cast("dict[str, Any]", json.loads(text))


@cache
def _redoc_script() -> bytes:
    # Its own logo would come from a CDN, which the policy forbids.
    script = (ASSETS / "redoc.js").read_bytes()
    return script.replace(b"https://cdn.redoc.ly/redoc/logo-mini", b"data:,")
