"""The OpenAPI document at /openapi.json, and Swagger UI at /docs with assets of our own."""

import json
import re
from functools import partial
from http import HTTPStatus
from importlib.metadata import distribution
from secrets import token_urlsafe
from typing import Any, cast

from apiflask import APIFlask
from apiflask.types import SpecCallbackType
from flask import Blueprint, Response, make_response, render_template

from .errors import ApiError
from .problems import PROBLEM_JSON, PROBLEM_SCHEMA, Problem
from .security_headers import CSP, CSP_HEADER
from .settings import Settings

COMPONENTS = "#/components/schemas/"
EXAMPLE_ID = "0f0ad2f6-2f4a-4c0f-9b7e-6f1f3a1f2b11"

# What APIFlask's `doc(responses=…)` takes.
Described = dict[str, str | dict[str, dict[str, Any]]]
Responses = dict[int | str, Described]
_LOCATION = {"schema": {"type": "string"}, "description": "The path of what was created."}
CREATED: Responses = {201: {"headers": {"Location": _LOCATION}}}

blueprint = Blueprint(
    "docs",
    __name__,
    template_folder="templates",
    static_folder=str(distribution("offapi").locate_file("offapi")),
    static_url_path="/docs/assets",
)


def init_app(app: APIFlask) -> None:
    """Complete the OpenAPI document and serve Swagger UI."""
    settings: Settings = app.config["SETTINGS"]
    app.config.update(
        AUTH_ERROR_DESCRIPTION="The token is missing or not valid.",
        AUTO_SERVERS=False,
        SERVERS=[{"url": settings.root_path}] if settings.root_path else None,
        VALIDATION_ERROR_DESCRIPTION="The request is not valid.",
    )
    app.spec_processor(cast("SpecCallbackType", partial(complete, app)))
    app.register_blueprint(blueprint)


@blueprint.get("/docs")
def docs() -> Response:
    """Show Swagger UI."""
    nonce = token_urlsafe(16)
    policy = f"{CSP}; script-src 'self' 'nonce-{nonce}'; img-src 'self' data:; font-src data:"
    return make_response(render_template("core/docs.html", nonce=nonce), {CSP_HEADER: policy})


def problem(error: type[ApiError]) -> Described:
    """Return the documentation of an error, for the `responses` of a view."""
    schema = {"$ref": COMPONENTS + component_name(error)}
    return {"description": error.detail, "content": {PROBLEM_JSON: {"schema": schema}}}


def component_name(error: type[ApiError]) -> str:
    """Return the name of an error's component: `InvoiceNotOpenProblem` for `InvoiceNotOpenError`."""
    return error.__name__.removesuffix("Error") + "Problem"


def complete(app: APIFlask, spec: dict[str, Any]) -> dict[str, Any]:
    """Document every error as a problem, and complete what APIFlask leaves open."""
    schemas = spec.setdefault("components", {}).setdefault("schemas", {})
    for replaced in ("HTTPError", "ValidationError"):
        schemas.pop(replaced, None)
    schemas["Problem"] = PROBLEM_SCHEMA
    spec["tags"] = list({tag["name"]: tag for tag in spec.get("tags", ())}.values())
    uuids = set(re.findall(r"<uuid:(\w+)>", " ".join(rule.rule for rule in app.url_map.iter_rules())))
    for path, operations in spec["paths"].items():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path" and parameter["name"] in uuids:
                    parameter["schema"]["format"] = "uuid"
            if body := operation.get("requestBody"):
                body["required"] = True
                for content in body["content"].values():
                    # A schema that a view documents itself.
                    if title := content["schema"].get("title"):
                        schemas[title], content["schema"] = content["schema"], {"$ref": COMPONENTS + title}
            schemas |= _describe_errors(operation, path)
    return _with_plain_names(spec)


def _describe_errors(operation: dict[str, Any], path: str) -> dict[str, Any]:
    """Give every error response its problem and an example; returns the components for them."""
    responses, components = operation["responses"], {}
    errors = {component_name(error): error for error in ApiError.__subclasses__()}
    if "security" in operation:
        responses["403"] = {"description": "The token lacks the scope, or the role does not allow it."}
    for status, response in responses.items():
        if int(status) < HTTPStatus.BAD_REQUEST:
            continue
        detail = response["description"].removesuffix(".") + "."
        instance = re.sub(r"\{\w+\}", EXAMPLE_ID, path)
        example = Problem(int(status), detail).document(instance) | {"request_id": EXAMPLE_ID}
        generic = f"{COMPONENTS}{re.sub('[^A-Za-z]', '', example['title'])}Problem"
        schema = response.get("content", {}).get(PROBLEM_JSON, {}).get("schema", {"$ref": generic})
        name = schema["$ref"].removeprefix(COMPONENTS)
        components[name] = _component("about:blank", int(status))
        if name in errors:
            example |= {"type": errors[name].type, "title": errors[name].title}
            components[name] = _component(errors[name].type, int(status))
            if int(status) == HTTPStatus.NOT_FOUND:
                # The router's, for an id that is not a UUID.
                components[generic.removeprefix(COMPONENTS)] = _component("about:blank", int(status))
                schema = {"oneOf": [schema, {"$ref": generic}]}
        response["content"] = {PROBLEM_JSON: {"schema": schema, "examples": {"problem": {"value": example}}}}
    anything = {PROBLEM_JSON: {"schema": {"$ref": f"{COMPONENTS}Problem"}}}
    responses["default"] = {"description": "Any other error.", "content": anything}
    return components


def _component(kind: str, status: int) -> dict[str, Any]:
    # Enums of one value, since some client generators cannot merge `const`.
    constants = {"type": {"type": "string", "enum": [kind]}, "status": {"type": "integer", "enum": [status]}}
    own = {"type": "object", "properties": constants, "required": list(constants)}
    return {"allOf": [{"$ref": f"{COMPONENTS}Problem"}, own]}


def _with_plain_names(spec: dict[str, Any]) -> dict[str, Any]:
    """Rename the components that APIFlask calls `Outer.Inner`; two different ones of a name are an error."""
    spec = json.loads(re.sub(rf'("{COMPONENTS})(?:\w+\.)+', r"\1", json.dumps(spec)))
    schemas: dict[str, Any] = {}
    for name, schema in spec["components"]["schemas"].items():
        if schemas.setdefault(name.rpartition(".")[2], schema) != schema:
            raise ValueError(f"Two schemas are called {name}; rename one of them.")
    spec["components"]["schemas"] = schemas
    return spec
