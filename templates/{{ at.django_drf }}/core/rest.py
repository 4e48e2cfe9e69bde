"""The parser and the content negotiation of REST framework, named by its settings."""

from collections.abc import Iterable
from typing import Any

from rest_framework import parsers
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


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

    def select_renderer(
        self, _request: Request, renderers: Iterable[BaseRenderer], _format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)
