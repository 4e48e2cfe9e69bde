"""Types of the API's input."""

from typing import Annotated

from pydantic import BeforeValidator, Strict, StringConstraints

# Printable text of one line with at least one character that is not a space.
_PRINTABLE = r"[^\u0000-\u001f\u007f-\u009f]"
TEXT_PATTERN = rf"^{_PRINTABLE}*[^\s\u0000-\u001f\u007f-\u009f]{_PRINTABLE}*$"

Text = Annotated[str, StringConstraints(pattern=TEXT_PATTERN, strip_whitespace=True)]


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


# An integer of JSON, which 12.0 is too; no text, no boolean.
Integer = Annotated[int, Strict(), BeforeValidator(_whole)]
