"""What the routes of this module take, and what is in the events that they answer with."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from ..core.schemas import RequestBody, Text

MAX_CHARACTERS = 20_000


class SummaryRequest(RequestBody):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"text": "The invoice is late. The customer was told twice."}]}
    )

    text: Annotated[Text, Field(max_length=MAX_CHARACTERS)]


class Token(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"text": " late."}]})

    text: Annotated[str, Field(description="Goes right behind the one before.")]


class Done(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"input_characters": 49, "output_tokens": 9}]})

    input_characters: int
    output_tokens: int
