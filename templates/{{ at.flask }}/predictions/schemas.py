"""The request and response models of the views."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from ..core.schemas import RequestBody, Text

MAX_CHARACTERS = 10_000


class Label(StrEnum):
    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"


class PredictionIn(RequestBody):
    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "Thanks, that was fast."}]})

    text: Annotated[Text, Field(max_length=MAX_CHARACTERS)]


class PredictionOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"label": "positive", "score": 0.75, "model": "word-count@1"}]}
    )

    label: Label
    score: Annotated[
        float, Field(ge=0, le=1, allow_inf_nan=False, description="The probability of the label.")
    ]
    model: Annotated[str, Field(description="The model, as `name@version`.")]
