"""Running the model: a limited number of calls at once, each with a timeout."""

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from http import HTTPStatus
from threading import BoundedSemaphore, Thread

import structlog
from apiflask import APIFlask
from flask import current_app
from flask.blueprints import BlueprintSetupState

from ..core.health import add_check
from ..core.problems import Problem
from ..core.settings import Settings
from ..extensions import db
from .model import Model, load_model
from .schemas import PredictionOut

EXTENSION = "predictions"
RETRY_AFTER = {"Retry-After": "1"}

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Predictor:
    """Calls the model on threads of its own, which a request does not wait for longer than the timeout.

    A thread cannot be stopped: a call that takes too long keeps its place until the model returns.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._model: Model | None = None
        self._places = BoundedSemaphore(settings.model_concurrency)
        self._threads = ThreadPoolExecutor(settings.model_concurrency, thread_name_prefix="model")

    def load(self) -> None:
        """Load the model; `is_loaded` stays false where that fails."""
        try:
            self._model = load_model(self._settings.model_path)
        except Exception:
            logger.exception("model_not_loaded")

    def is_loaded(self) -> bool:
        """Return whether the model is loaded."""
        return self._model is not None

    def predict(self, text: str) -> PredictionOut:
        """Classify a text.

        Raises:
            Problem: 503 if the model is not loaded, or if no place becomes free in time; 504 if the model
                takes too long; 502 if it fails or returns something that is not valid.
        """
        model = self._model
        if model is None:
            detail = "The model is not loaded yet; try again in a moment."
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers=RETRY_AFTER)
        if not self._places.acquire(timeout=self._settings.model_wait_seconds):
            detail = "The model is busy; try again in a moment."
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers=RETRY_AFTER)
        call = self._threads.submit(copy_context().run, model.predict, text)
        call.add_done_callback(lambda _: self._places.release())
        try:
            guess = call.result(self._settings.model_timeout_seconds)
            return PredictionOut.model_validate(
                {"label": guess.label, "score": guess.score, "model": model.name}
            )
        except TimeoutError:
            raise Problem(HTTPStatus.GATEWAY_TIMEOUT, "The model took too long.") from None
        except Exception as error:
            logger.exception("model_failed")
            detail = "The model failed. The log has the reason, under this request id."
            raise Problem(HTTPStatus.BAD_GATEWAY, detail) from error


def connect(state: BlueprintSetupState) -> None:
    """Give the application a predictor. The server loads the model at its start, and commands do not."""
    app: APIFlask = state.app  # type: ignore[assignment]
    predictor = Predictor(app.config["SETTINGS"])
    app.extensions[EXTENSION] = predictor
    add_check(app, "model", predictor.is_loaded)
    start = Thread(target=predictor.load, name="model-loader", daemon=True).start
    app.extensions.setdefault("on_serve", []).append(start)


def predict(text: str) -> PredictionOut:
    """Classify a text; raises as `Predictor.predict` does."""
    # Hold no connection meanwhile.
    db.session.commit()
    predictor: Predictor = current_app.extensions[EXTENSION]
    return predictor.predict(text)
