"""REST framework with strict input: it converts numbers to text itself, and ignores unknown fields."""

import re
from collections.abc import Mapping
from typing import Any

from rest_framework import parsers, serializers
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import DefaultContentNegotiation

# Printable text of one line with at least one character that is not a space.
_PRINTABLE = r"[^\u0000-\u001f\u007f-\u009f]"
TEXT_PATTERN = rf"^{_PRINTABLE}*[^\s\u0000-\u001f\u007f-\u009f]{_PRINTABLE}*$"


class StrictSerializer(serializers.Serializer[Any]):
    """A serializer that rejects fields that it does not have or that are read-only."""

    def to_internal_value(self, data: Any) -> Any:  # noqa: ANN401 (as in the base class)
        writable = {name for name, field in self.fields.items() if not field.read_only}
        names = data if isinstance(data, Mapping) else ()
        unknown = {name: ["There is no such field."] for name in names if name not in writable}
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            known = error.detail if isinstance(error.detail, dict) else {}
            raise serializers.ValidationError({**known, **unknown}) from error
        if unknown:
            raise serializers.ValidationError(unknown)
        return values


class TextField(serializers.RegexField):
    """A line of text; no number and no control characters. Spaces around it are removed."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 (the field's)
        super().__init__(TEXT_PATTERN, **options)

    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str) or not re.search(TEXT_PATTERN, data):
            self.fail("invalid")
        return super().to_internal_value(data)


class IntegerField(serializers.IntegerField):
    """A number; no text."""

    def to_internal_value(self, data: Any) -> int:  # noqa: ANN401 (as in the base class)
        if isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class JSONParser(parsers.JSONParser):
    """REST framework's own, within the limits of Django: DATA_UPLOAD_MAX_MEMORY_SIZE and the nesting."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:  # noqa: ANN401
        # `body` checks the size, which reading the stream does not.
        _ = getattr(stream, "body", None)
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError("The document is nested too deeply.") from error


class AnyAccept(DefaultContentNegotiation):
    """Ignore the Accept header: each view has one media type, and errors are problem documents."""

    def select_renderer(self, _request: Any, renderers: Any, _format_suffix: Any = None) -> Any:  # noqa: ANN401
        return renderers[0], renderers[0].media_type
