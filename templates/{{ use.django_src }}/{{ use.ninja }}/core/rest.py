"""What the API of every module shares: strict input, query parameters, and problem details."""

import json
import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from http import HTTPStatus
from typing import Annotated, Any, NoReturn, Self

import ninja
import pydantic
from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS
from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse
from django.utils.datastructures import MultiValueDict
from django.utils.module_loading import import_string
from ninja.errors import HttpError, Throttled, ValidationError, ValidationErrorContext
from ninja.openapi.schema import BODY_CONTENT_TYPES, REF_TEMPLATE
from ninja.parser import Parser
from ninja.renderers import BaseRenderer
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict, StringConstraints, TypeAdapter

from .problems import PROBLEM_JSON, PROBLEM_SCHEMA, FieldError, Problem, pointer

_ANYTHING = TypeAdapter[Any](Any)


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _in_plain_digits(value: object) -> object:
    if not re.fullmatch(r"-?[0-9]{1,19}", str(value)):
        raise ValueError("It must be a whole number.")
    return value


# A number in JSON without a fraction, which 12.0 is too; no text, no boolean.
JsonInteger = Annotated[int, Strict(), BeforeValidator(_whole)]
# Text that is not blank; no number, and no NUL, which PostgreSQL does not store.
Text = Annotated[str, StringConstraints(min_length=1, pattern=r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
# The same without the blanks around it.
JsonText = Annotated[Text, StringConstraints(strip_whitespace=True)]
# A whole number in a query, in plain digits.
QueryInteger = Annotated[int, BeforeValidator(_in_plain_digits)]


class StrictSchema(BaseModel):
    """Input in which a field that is not declared is an error.

    Not of ninja's own `Schema`, which would look for what is missing among the attributes of the input.
    """

    model_config = ConfigDict(extra="forbid")


class ReceivedSchema(BaseModel):
    """A document that an operation reads itself, in which there may be more than is declared."""

    @classmethod
    def of(cls, document: object) -> Self:
        """What is declared, from `document`.

        Raises:
            Problem: 422, with what is wrong where.
        """
        try:
            return cls.model_validate(document)
        except pydantic.ValidationError as error:
            raise _invalid(_field_errors(error)) from None


class AnswerSchema(BaseModel):
    """Output that is made of an object's attributes or of a dictionary."""

    model_config = ConfigDict(from_attributes=True)


class LimitQuery(BaseModel):
    """The query of a list."""

    limit: QueryInteger = Field(50, ge=1, le=100)


class JsonParser(Parser):
    """Takes the one type of body that an operation documents, and in JSON only what RFC 8259 allows."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        _require_type(request, BODY_CONTENT_TYPES["body"])
        try:
            document: dict[str, Any] = json.loads(
                request.body.decode(), object_pairs_hook=_with_encodable_names, parse_constant=_refuse
            )
        except RecursionError:
            raise Problem(400, "The document is nested too deeply.") from None
        except ValueError:
            raise Problem(400, "The body is not JSON.") from None
        return document

    def parse_querydict(
        self, data: "MultiValueDict[str, Any]", list_fields: list[str], request: HttpRequest
    ) -> dict[str, Any]:
        # A form with files is multipart, and a request without a body may go without a type.
        if data is request.POST and request.content_type and not request.FILES:
            _require_type(request, BODY_CONTENT_TYPES["form"])
        return super().parse_querydict(data, list_fields, request)


class JsonRenderer(BaseRenderer):
    """Writes what pydantic writes, so that a moment keeps its microseconds."""

    media_type = "application/json"

    def render(self, request: HttpRequest, data: object, *, response_status: int) -> bytes:
        return _ANYTHING.dump_json(data)


class Router(ninja.Router):
    """The operations of a module, which answer HEAD wherever they answer GET."""

    def add_api_operation(
        self,
        path: str,
        methods: list[str],
        view_func: Callable[..., Any],
        **options: Any,  # noqa: ANN401 (ninja's)
    ) -> None:
        allowed = [*methods, "HEAD"] if "GET" in methods else methods
        super().add_api_operation(path, allowed, view_func, **options)


class Api(ninja.NinjaAPI):
    """Wants a token for every operation that does not say `auth=None`, and makes every error a `Problem`."""

    def __init__(self, urls_namespace: str) -> None:
        super().__init__(
            **settings.API,
            auth=[import_string(name)() for name in settings.API_AUTHENTICATION] or None,
            urls_namespace=urls_namespace,
            openapi_url=None,
            docs_url=None,
            parser=JsonParser(),
            renderer=JsonRenderer(),
            default_router=Router(),
        )

    def get_content_type(self) -> str:
        """Without a charset, which JSON has none of."""
        return JsonRenderer.media_type

    def set_default_exception_handlers(self) -> None:
        """None: ninja's own answers are no problem documents, and with DEBUG they hide Django's page."""

    def on_exception(self, request: HttpRequest, exc: Exception | type[Exception]) -> HttpResponse:
        """Leave it to Django and the middleware, unless a handler was added for it."""
        return super().on_exception(request, _as_problem(exc))

    def validation_error_from_error_contexts(
        self, error_contexts: list[ValidationErrorContext[Any]]
    ) -> ValidationError:
        """What is wrong with the arguments of an operation, as field errors."""
        errors: list[dict[str, Any]] = []
        for context in error_contexts:
            found = _field_errors(context.pydantic_validation_error, _whole_sources(context.model))
            errors.extend(map(dict, found))
        return ValidationError(errors)


api = Api(urls_namespace="api")


def problem_answer(description: str = "") -> dict[str, Any]:
    """A problem among the `responses` of an `openapi_extra`; by default it is described by its status."""
    content = {PROBLEM_JSON: {"schema": {"$ref": REF_TEMPLATE.format(model="ProblemDocument")}}}
    return {"description": description, "content": content}


def json_body(model: type[BaseModel]) -> dict[str, Any]:
    """The `requestBody` of an `openapi_extra`, for an operation that reads the body itself."""
    schema = model.model_json_schema(ref_template=REF_TEMPLATE)
    return {"content": {BODY_CONTENT_TYPES["body"]: {"schema": schema}}, "required": True}


def contract(described: ninja.NinjaAPI) -> dict[str, Any]:
    """The OpenAPI document of an API: ninja's, completed by summaries and problem answers."""
    # By way of text, which has no keys that are numbers and no addresses that are still to be looked up.
    document: dict[str, Any] = json.loads(json.dumps(described.get_openapi_schema(), cls=DjangoJSONEncoder))
    schemas = document["components"]["schemas"]
    schemas["ProblemDocument"] = PROBLEM_SCHEMA
    for operations in document["paths"].values():
        operations.pop("head", None)
        for operation in operations.values():
            _document_docstring(operation)
            _document_problems(operation)
            for content in operation.get("requestBody", {}).get("content", {}).values():
                schemas.update(content["schema"].pop("$defs", {}))
    # What ninja took apart into parameters.
    text = json.dumps(document)
    for name in [name for name in schemas if f'"{REF_TEMPLATE.format(model=name)}"' not in text]:
        del schemas[name]
    return document


def _document_docstring(operation: dict[str, Any]) -> None:
    summary, _, description = operation.pop("description", operation["summary"]).partition("\n")
    operation["summary"] = summary
    if description:
        operation["description"] = description.strip()


def _document_problems(operation: dict[str, Any]) -> None:
    for status, answer in operation["responses"].items():
        answer["description"] = answer.get("description") or HTTPStatus(int(status)).phrase
    places = {parameter["in"] for parameter in operation["parameters"]}
    answers = {"default": "Any other error"}
    if operation.get("security"):
        answers["401"] = "The token is missing, expired or not valid"
    if "path" in places:
        answers["404"] = "There is no such thing"
    if "query" in places or "requestBody" in operation:
        answers["422"] = "The request is not valid"
    for status, description in answers.items():
        operation["responses"].setdefault(status, problem_answer(description))


def _require_type(request: HttpRequest, media_type: str) -> None:
    if request.content_type != media_type:
        raise Problem(415, f"The body has to be {media_type}.")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _with_encodable_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # pydantic does not say where a name is that is no Unicode.
    return {name.encode(errors="replace").decode(): value for name, value in pairs}


def _whole_sources(model: type[BaseModel]) -> set[str | None]:
    """The arguments of an operation that take a whole source, such as the body, rather than a part of it."""
    flattened = getattr(model, "__ninja_flatten_map__", {}).values()
    return {path[0] for path in flattened if path[1:]} | {getattr(model, "__read_from_single_attr__", None)}


def _field_errors(
    error: pydantic.ValidationError, whole_sources: Collection[str | None] = ()
) -> Iterator[FieldError]:
    for detail in error.errors(include_url=False, include_context=False, include_input=False):
        place = detail["loc"]
        if place and place[0] in whole_sources:
            place = place[1:]
        yield FieldError(pointer=pointer(place), detail=detail["msg"].removeprefix("Value error, "))


def _as_problem(error: Exception | type[Exception]) -> Exception | type[Exception]:
    """The problem that an error of ninja or of a model's validation stands for; any other error itself."""
    match error:
        case HttpError(__cause__=Problem() as problem):
            # ninja wraps what the parser raises.
            return problem
        case Throttled(wait=int() | float() as wait):
            return Problem(429, str(error), headers={"Retry-After": str(math.ceil(wait))})
        case HttpError():
            return Problem(error.status_code, str(error))
        case ValidationError():
            errors = [FieldError(pointer=each["pointer"], detail=each["detail"]) for each in error.errors]
            return _invalid(errors)
        case DjangoValidationError():
            return _invalid(_model_errors(error))
        case _:
            return error


def _model_errors(error: DjangoValidationError) -> Iterator[FieldError]:
    fields = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
    for name, messages in fields.items():
        place = () if name == NON_FIELD_ERRORS else (name,)
        yield from (FieldError(pointer=pointer(place), detail=message) for message in messages)


def _invalid(errors: Iterable[FieldError]) -> Problem:
    return Problem(422, "The request is not valid.", errors=list(errors))
