LOCATION = {"schema": {"type": "string"}, "description": "The path of what was created."}
# The problems of any operation, by the status.
COMMON = {
    "401": ("UnauthorizedProblem", "The token is missing, expired or not valid"),
    "403": ("ForbiddenProblem", "The role in the organization is too low"),
    "404": ("NotFoundProblem", "There is nothing with this id"),
    "422": ("ValidationProblem", "The request is not valid"),
}


def problem_content(*names: str) -> dict[str, Any]:
    """Return the `content` of a response with one of these problems."""
    refs = [{"$ref": f"#/components/schemas/{name}"} for name in names]
    return {PROBLEM_JSON: {"schema": refs[0] if len(refs) == 1 else {"oneOf": refs}}}


def _names(response: dict[str, Any]) -> list[str]:
    schema = response.get("content", {}).get(PROBLEM_JSON, {}).get("schema", {})
    return [each["$ref"].rpartition("/")[2] for each in schema.get("oneOf", [schema]) if "$ref" in each]


def add_problems(result: dict[str, Any], **_: object) -> dict[str, Any]:
    """Add the common problems to each operation of an OpenAPI document, and the components of all."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = PROBLEM_SCHEMA
    for operations in result["paths"].values():
        for method, operation in operations.items():
            _add_common(method, operation)
{% if not use.drf %}
            _name_body(operation, schemas)
{% endif %}
            for status, response in operation["responses"].items():
                for name in set(_names(response)) - schemas.keys():
                    schemas[name] = _component(name, int(status))
    return result


def _add_common(method: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    places = {parameter["in"] for parameter in operation.get("parameters", ())}
    secured = any(operation.get("security", ()))
    expected = {
        "401": secured,
        "403": secured and method != "get",
        "404": "path" in places,
        "422": "query" in places or "requestBody" in operation,
    }
    for status, (name, description) in COMMON.items():
        if expected[status]:
            responses.setdefault(status, {"description": description, "content": problem_content(name)})
    if expected["404"]:
        # A malformed id matches no path, whatever else the operation does not find.
        names = dict.fromkeys(["NotFoundProblem", *_names(responses["404"])])
        responses["404"]["content"] = problem_content(*names)
    if "201" in responses:
        responses["201"].setdefault("headers", {"Location": LOCATION})
    for status, response in responses.items():
        response["description"] = response.get("description") or HTTPStatus(int(status)).phrase
    responses.setdefault("default", {"description": "Any other error", "content": problem_content("Problem")})


{% if not use.drf %}
def _name_body(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Make a component of a request body that has a title."""
    schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    if title := schema.get("title"):
        schemas[title] = schema
        content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{title}"}}}
        operation["requestBody"] = {**operation["requestBody"], "content": content}


{% endif %}
def _component(name: str, status: int) -> dict[str, Any]:
    types = {each.__name__.replace("Error", "Problem"): each.type for each in Problem.__subclasses__()}
    constants = {"type": {"const": types.get(name, Problem.type)}, "status": {"const": status}}
    variant = {"type": "object", "required": [*constants], "properties": constants}
    return {"allOf": [{"$ref": "#/components/schemas/Problem"}, variant]}
