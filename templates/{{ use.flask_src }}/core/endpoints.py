"""What every service answers besides its domain: probes, and the contract with the pages that show it."""

import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache
from http import HTTPStatus
from importlib.metadata import distribution
from pathlib import Path
from secrets import token_urlsafe
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal

import structlog
from apiflask import APIBlueprint, APIFlask
from flask import (
    Blueprint,
    Response,
    current_app,
    json,
    make_response,
    render_template_string,
    request,
    send_from_directory,
)
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from ..extensions import db
from .boundary import problem_response, security_headers
from .logs import log_request
from .problems import PROBLEM_JSON, PROBLEM_SCHEMA, problem_document
from .request_id import REQUEST_ID_HEADER, begin_request
from .security_headers import SECURITY_HEADERS
from .settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CHECK_SECONDS = 2
LIVE = "/health/live"

health = APIBlueprint("health", __name__, tag="Health", url_prefix="/health")
logger = structlog.stdlib.get_logger(__name__)

# One thread: while a check hangs in the driver, the next ones time out behind it and cost nothing more.
_checks = ThreadPoolExecutor(max_workers=1, thread_name_prefix="readiness")

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

# What the examples of the contract show.
EXAMPLE_ID = "0f0ad2f6-2f4a-4c0f-9b7e-6f1f3a1f2b11"
EXAMPLE_REQUEST_ID = "4bf92f3577b34da6a3ce929d0e0e4736"

pages = Blueprint("api-pages", __name__)


class Liveness(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok"}]})

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"status": "ok", "checks": {"database": "ok"}}]}
    )

    status: Literal["ok"] = "ok"
    checks: dict[str, Literal["ok"]]


@health.get("/live")
@health.output(Liveness)
@health.doc(operation_id="health_live")
def live() -> Liveness:
    """The process answers."""
    return Liveness()


def answer_liveness(app: APIFlask, settings: Settings) -> None:
    """Let `app` answer the commonest probe as `live` does, without a view, which takes many times as long.

    Where pages of other origins may call, it is left to the view, and so is any other method.
    """
    if settings.cors_origins:
        return
    body = Liveness().model_dump_json().encode()
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        *security_headers(settings),
    ]
    through_flask: WSGIApplication = app.wsgi_app

    def wsgi_app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        if path != LIVE or method != "GET":
            return through_flask(environ, start_response)
        began = perf_counter()
        request_id = begin_request(environ.get("HTTP_X_REQUEST_ID"))
        start_response("200 OK", [*headers, (REQUEST_ID_HEADER, request_id)])
        log_request(method=method, path=path, status=HTTPStatus.OK, seconds=perf_counter() - began)
        return [body]

    app.wsgi_app = wsgi_app  # type: ignore[method-assign]


@health.get("/ready")
@health.output(Readiness)
@health.doc(operation_id="health_ready", responses={503: "A check failed"})
def ready() -> Readiness | Response:
    """The process can do its work: the database answers, and soon."""
    if _database_answers():
        return Readiness(checks={"database": "ok"})
    detail = "The database does not answer."
    document = problem_document(HTTPStatus.SERVICE_UNAVAILABLE, detail, instance=request.path)
    document["checks"] = {"database": "failed"}
    return problem_response(document)


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


def complete(app: APIFlask, spec: dict[str, Any]) -> dict[str, Any]:
    """The document that APIFlask made, with problem details for every error and one name for every model.

    Args:
        app: what serves it.
        spec: the OpenAPI document.
    """
    schemas = spec.setdefault("components", {}).setdefault("schemas", {})
    for replaced in ("HTTPError", "ValidationError"):
        schemas.pop(replaced, None)
    schemas["Problem"] = PROBLEM_SCHEMA
    uuids = {name for rule in app.url_map.iter_rules() for name in re.findall(r"<uuid:(\w+)>", rule.rule)}
    for path, operations in spec["paths"].items():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                # APIFlask takes it for any text.
                if parameter["in"] == "path" and parameter["name"] in uuids:
                    parameter["schema"]["format"] = "uuid"
            if "requestBody" in operation:
                operation["requestBody"]["required"] = True
            _describe_errors(operation, path)
    return _with_plain_names(spec)


def _database_answers() -> bool:
    check = _checks.submit(copy_context().run, _ask, db.engine)
    try:
        check.result(timeout=CHECK_SECONDS)
    except (SQLAlchemyError, TimeoutError) as error:
        check.cancel()
        logger.warning("database_unreachable", reason=str(error) or type(error).__name__)
        return False
    return True


def _ask(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")


def _page(template: str) -> Response:
    """A page under the policy of every answer, widened by what its own script and its styles need."""
    nonce = token_urlsafe(16)
    response = make_response(render_template_string(template, nonce=nonce))
    scripts = f"script-src 'self' 'nonce-{nonce}'"
    response.headers[POLICY] = "; ".join([SECURITY_HEADERS[POLICY], scripts, *PAGE_POLICY])
    return response


def _describe_errors(operation: dict[str, Any], path: str) -> None:
    responses = operation["responses"]
    if "security" in operation:
        responses[str(HTTPStatus.FORBIDDEN.value)] = {"description": "The token is not for this"}
    responses["default"] = {"description": "Any other error"}
    for status, response in responses.items():
        content: dict[str, Any] = {"schema": {"$ref": "#/components/schemas/Problem"}}
        if status != "default":
            if int(status) < HTTPStatus.BAD_REQUEST:
                continue
            problem = _example(int(status), response["description"], path)
            content["examples"] = {"problem": {"value": problem}}
        response["content"] = {PROBLEM_JSON: content}


def _example(status: int, description: str, path: str) -> dict[str, Any]:
    """A problem document as it could be answered."""
    document = problem_document(status, f"{description}.", instance=re.sub(r"\{\w+\}", EXAMPLE_ID, path))
    return {**document, "request_id": EXAMPLE_REQUEST_ID}


def _with_plain_names(spec: dict[str, Any]) -> dict[str, Any]:
    """APIFlask names a model inside another one `Outer.Inner`; here it is `Inner`, unless that is taken."""
    schemas = spec["components"]["schemas"]
    renamed = {}
    for name in [name for name in schemas if "." in name]:
        plain = name.rpartition(".")[2]
        if schemas.setdefault(plain, schemas[name]) == schemas[name]:
            renamed[name] = plain
            del schemas[name]
    if not renamed:
        return spec
    text = json.dumps(spec)
    for name, plain in renamed.items():
        text = text.replace(f'"#/components/schemas/{name}"', f'"#/components/schemas/{plain}"')
    # Two that differed only in such names are now the same.
    return _with_plain_names(json.loads(text))


@cache
def _redoc_script() -> bytes:
    # Its own logo would come from a CDN, which the policy forbids.
    script = (ASSETS / "redoc.js").read_bytes()
    return script.replace(b"https://cdn.redoc.ly/redoc/logo-mini", b"data:,")
