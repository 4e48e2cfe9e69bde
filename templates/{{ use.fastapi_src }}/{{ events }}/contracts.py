"""The plain values of this module."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in an organization. Its id is one more than that of the event before.

    `message` is the JSON text that is sent, made once for all who get it.
    """

    id: int
    type: str
    message: str
