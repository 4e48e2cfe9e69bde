"""The HTTP face: what a model says of a text."""

from typing import Any

from apiflask import APIBlueprint

from ..accounts.public import Scope, requires
from . import services
from .schemas import PredictionIn, PredictionOut

FAILURES: dict[int | str, dict[str, str | dict[str, dict[str, Any]]]] = {
    400: {"description": "The body is not JSON"},
    401: {"description": "No token, or none that is good"},
    413: {"description": "The body is too large"},
    415: {"description": "The body is not declared as JSON"},
    502: {"description": "The model failed, or what it said makes no sense"},
    503: {
        "description": "The model has as many calls as it may have",
        "headers": {"Retry-After": {"schema": {"type": "integer"}, "description": "In seconds."}},
    },
    504: {"description": "The model took too long"},
}

blueprint = APIBlueprint("predictions", __name__, tag="Predictions", url_prefix="/api/v1/predictions")


@blueprint.post("")
@requires(Scope.WRITE)
@blueprint.input(PredictionIn)
@blueprint.output(PredictionOut)
@blueprint.doc(operation_id="predictions_create", responses=FAILURES)
def create(json_data: PredictionIn) -> PredictionOut:
    """Say how a text sounds.

    It takes the scope to change things, because a model costs something. Nothing is kept.
    """
    return services.predict(json_data.text)
