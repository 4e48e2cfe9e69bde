"""Types of the API's input."""

from typing import Annotated

from pydantic import StringConstraints

# Printable text of one line with at least one character that is not a space.
_PRINTABLE = r"[^\u0000-\u001f\u007f-\u009f]"
TEXT_PATTERN = rf"^{_PRINTABLE}*[^\s\u0000-\u001f\u007f-\u009f]{_PRINTABLE}*$"

Text = Annotated[str, StringConstraints(pattern=TEXT_PATTERN, strip_whitespace=True)]
