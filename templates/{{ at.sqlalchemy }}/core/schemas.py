"""Base types of request bodies."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


# Last, and with `Strict()`: an integer as in JSON Schema, which includes 12.0 but not "12".
WHOLE = BeforeValidator(_whole)
# Not blank, and without NUL, which PostgreSQL cannot store.
Text = Annotated[str, StringConstraints(min_length=1, pattern=r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
_LINE = r"[^\u0000-\u001f\u007f-\u009f]"
# One line without control characters, stripped.
TrimmedText = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        min_length=1,
        pattern=rf"^{_LINE}*[^\s\u0000-\u001f\u007f-\u009f]{_LINE}*$",
    ),
]


class RequestBody(BaseModel):
    """A request body that rejects unknown fields."""

    model_config = ConfigDict(extra="forbid")
