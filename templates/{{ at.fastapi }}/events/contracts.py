"""Plain values of this module."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """An event of an organization. Ids have no gaps; `message` is the JSON text for all clients."""

    id: int
    type: str
    message: str
