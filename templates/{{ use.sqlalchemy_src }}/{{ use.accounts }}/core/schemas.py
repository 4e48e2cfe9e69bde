"""What the requests of every module are made of."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


# With `Strict()`, and last: an integer as JSON has it, which 12.0 is and "12" is not.
WHOLE = BeforeValidator(_whole)
# Text that is not blank, and without NUL, which PostgreSQL does not store.
Text = Annotated[str, StringConstraints(min_length=1, pattern=r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
# The same without the blanks around it.
TrimmedText = Annotated[Text, StringConstraints(strip_whitespace=True)]


class RequestBody(BaseModel):
    """Input in which a field that is not declared is an error."""

    model_config = ConfigDict(extra="forbid")
