"""Request bodies, and the data of the events that are streamed."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from ..core.schemas import RequestBody, Text

MAX_CHARACTERS = 20_000


class SummaryRequest(RequestBody):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"text": "The invoice is late. The customer was told twice."}]}
    )

    text: Annotated[Text, Field(max_length=MAX_CHARACTERS)]


class SummaryToken(BaseModel):
    """The data of an event `token`."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": " late."}]})

    text: Annotated[str, Field(description="Append it to the text before.")]


class SummaryDone(BaseModel):
    """The data of the event `done`."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"input_characters": 49, "output_tokens": 9}]})

    input_characters: int
    output_tokens: int
