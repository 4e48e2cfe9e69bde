"""What the API of every module shares: strict input, query parameters, and problem details."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from http import HTTPStatus
from traceback import walk_tb
from typing import Any
from uuid import UUID

from django.core.exceptions import NON_FIELD_ERRORS
from django.core.exceptions import ValidationError as DjangoValidationError
from drf_spectacular import openapi
from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiSerializerFieldExtension
from drf_spectacular.plumbing import resolve_type_hint
from drf_spectacular.utils import OpenApiResponse
from rest_framework import parsers, serializers
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import exception_handler as drf_exception_handler

from .problems import PROBLEM_JSON, FieldError, ProblemDocument, pointer, problem_document

# For the `responses` of `extend_schema`.
PROBLEM_SCHEMA = {"$ref": "#/components/schemas/ProblemDocument"}

# How Django and Django REST Framework name what is wrong with the whole rather than with a field.
_WHOLE = {NON_FIELD_ERRORS, api_settings.NON_FIELD_ERRORS_KEY}


class AutoSchema(openapi.AutoSchema):
    """Describes an operation by its view's docstring, whose first line is the summary."""

    def get_summary(self) -> str | None:
        return super().get_description().partition("\n")[0] or None

    def get_description(self) -> str:  # type: ignore[override]  # as in the class that this one extends
        return super().get_description().partition("\n")[2].strip()

    def get_auth(self) -> list[dict[str, Any]]:
        """The ways to sign in; none where nobody has to."""
        ways = super().get_auth()
        return [] if ways == [{}] else ways


class StrictSerializer(serializers.Serializer[dict[str, Any]]):
    """Input in which a field that is not declared is an error."""

    def to_internal_value(self, data: object) -> dict[str, Any]:
        names = data if isinstance(data, Mapping) else ()
        unknown = {name: ["There is no such field."] for name in names if name not in self.fields}
        try:
            values: dict[str, Any] = super().to_internal_value(data)
        except ValidationError as error:
            known = error.detail if isinstance(error.detail, dict) else {}
            raise ValidationError({**known, **unknown}) from error
        if unknown:
            raise ValidationError(unknown)
        return values


class JsonInteger(serializers.IntegerField):
    """A number in JSON without a fraction, which 12.0 is too; no text, no boolean."""

    def to_internal_value(self, data: object) -> int:
        if isinstance(data, float) and data.is_integer():
            return int(data)
        # The exact type, because a boolean is an int to Python.
        if type(data) is not int:
            self.fail("invalid")
        return data


class JsonText(serializers.CharField):
    """Text in JSON that is not blank; no number."""

    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class JsonUUID(serializers.UUIDField):
    """A UUID in JSON, as text; no number."""

    def to_internal_value(self, data: object) -> UUID:
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


class QueryInteger(serializers.IntegerField):
    """A whole number in a query, in plain digits."""

    def to_internal_value(self, data: object) -> int:
        digits = str(data)
        if not re.fullmatch(r"-?[0-9]{1,19}", digits):
            self.fail("invalid")
        return int(digits)


class LimitQuery(serializers.Serializer[dict[str, Any]]):
    """The query of a list."""

    limit = QueryInteger(min_value=1, max_value=100, default=50)

    @classmethod
    def of(cls, request: Request) -> dict[str, Any]:
        """What the request's query says.

        All requests share one instance: making one copies every field, which takes longer than validating.

        Raises:
            ValidationError: it is not valid.
        """
        values: dict[str, Any] = _shared(cls).run_validation(request.query_params.dict())
        return values


@cache
def _shared(query: type[LimitQuery]) -> LimitQuery:
    return query()


class AnyAccept(DefaultContentNegotiation):
    """For what has one form only, whatever the client says that it accepts."""

    def select_renderer(
        self, _request: Request, renderers: Iterable[BaseRenderer], _format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)


def problem_answer(description: str) -> OpenApiResponse:
    """A problem among the `responses` of `extend_schema`, under a key such as `(409, PROBLEM_JSON)`."""
    return OpenApiResponse(PROBLEM_SCHEMA, description)


# The two below complete what drf-spectacular makes of a serializer and of a field.


class _StrictSerializerSchema(OpenApiSerializerExtension):
    target_class = StrictSerializer
    match_subclasses = True

    def map_serializer(self, auto_schema: openapi.AutoSchema, direction: str) -> dict[str, Any]:
        schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)  # noqa: SLF001
        return {**schema, "additionalProperties": False}


class _JsonTextSchema(OpenApiSerializerFieldExtension):
    target_class = JsonText

    def map_serializer_field(self, auto_schema: openapi.AutoSchema, direction: str) -> dict[str, Any]:
        schema = auto_schema._map_serializer_field(self.target, direction, bypass_extensions=True)  # noqa: SLF001
        return {**schema, "pattern": r"^[^\u0000]*[^\s\u0000][^\u0000]*$"}


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """The problem document of an error in an API view; none for what Django answers with a 500.

    Invalid data is a 422, also where a model rather than a serializer found it.
    """
    if isinstance(error, DjangoValidationError):
        error = ValidationError(serializers.as_serializer_error(error))
    elif isinstance(error, RecursionError) and _comes_from_parser(error):
        error = ParseError("The document is nested too deeply.")
    response = drf_exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, ValidationError):
        response.status_code = 422
        detail, errors = "The request is not valid.", list(_field_errors(error.detail))
    else:
        detail, errors = response.data["detail"], []
    path = context["request"].path
    response.data = problem_document(response.status_code, detail, instance=path, errors=errors)
    response.content_type = PROBLEM_JSON
    return response


def _comes_from_parser(error: Exception) -> bool:
    frames = (frame for frame, _ in walk_tb(error.__traceback__))
    return any(frame.f_globals.get("__name__") == parsers.__name__ for frame in frames)


def _field_errors(detail: object, location: tuple[str | int, ...] = ()) -> Iterator[FieldError]:
    if isinstance(detail, dict):
        for key, value in detail.items():
            yield from _field_errors(value, location if key in _WHOLE else (*location, key))
    elif isinstance(detail, list):
        for index, value in enumerate(detail):
            # A list has messages about one place, or a dictionary for each of several.
            yield from _field_errors(value, (*location, index) if isinstance(value, dict) else location)
    else:
        # What cannot be encoded came with the request, in a name or in a value that the message repeats.
        yield FieldError(pointer=pointer(location), detail=_encodable(str(detail)))


def _encodable(text: str) -> str:
    return text.encode(errors="replace").decode()


def document_problems(result: dict[str, Any], **_: object) -> dict[str, Any]:
    """Complete every operation of an OpenAPI document with its problem answers; a hook of drf-spectacular."""
    result["components"]["schemas"]["ProblemDocument"] = resolve_type_hint(ProblemDocument)
    for operations in result["paths"].values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                answer["description"] = answer["description"] or HTTPStatus(int(status)).phrase
            places = {parameter["in"] for parameter in operation.get("parameters", ())}
            answers = {"default": "Any other error"}
            if operation.get("security"):
                answers["401"] = "The token is missing, expired or not valid"
            if "path" in places:
                answers["404"] = "There is no such thing"
            if "query" in places or "requestBody" in operation:
                answers["422"] = "The request is not valid"
            for status, description in answers.items():
                content = {PROBLEM_JSON: {"schema": PROBLEM_SCHEMA}}
                operation["responses"].setdefault(status, {"description": description, "content": content})
    return result
