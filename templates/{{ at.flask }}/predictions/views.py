"""HTTP: predictions of the model."""

from apiflask import APIBlueprint

from ..accounts.public import Scope, auth
from . import services
from .schemas import PredictionIn, PredictionOut

blueprint = APIBlueprint("predictions", __name__, tag="predictions", url_prefix="/api/v1/predictions")
blueprint.record_once(services.connect)


@blueprint.post("")
@blueprint.auth_required(auth, roles=[Scope.WRITE])
@blueprint.input(PredictionIn)
@blueprint.output(PredictionOut)
@blueprint.doc(
    operation_id="predictions_create_prediction",
    responses={
        502: "The model failed, or returned something that is not valid.",
        503: "The model is not loaded yet, or is busy.",
        504: "The model took too long.",
    },
)
def create_prediction(json_data: PredictionIn) -> PredictionOut:
    """Return the sentiment of a text.

    It takes the scope `write`, since a model costs something. Nothing is stored.
    """
    return services.predict(json_data.text)
