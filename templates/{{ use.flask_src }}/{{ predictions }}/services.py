"""Asking the model: a few calls at once, none for too long, and what it says is looked at."""

from collections.abc import Callable
from http import HTTPStatus
from queue import Empty, SimpleQueue
from threading import BoundedSemaphore, Lock, Thread

import structlog

from ..core.problems import Problem
from ..core.request_id import begin_request, current_request_id
from ..extensions import db
from .model import Model, load_model
from .schemas import PredictionOut

# In each process, and far fewer than its threads, so that a slow model leaves some for everything else.
AT_ONCE = 4
SECONDS = 10.0
RETRY_SECONDS = 1

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Predictor:
    """Has a model answer on threads of its own, which are not waited for longer than `SECONDS`.

    A thread cannot be stopped: a call that took too long keeps its place until the model returns.
    """

    def __init__(self, load: Callable[[], Model]) -> None:
        self._load = load
        self._loading = Lock()
        self._model: Model | None = None
        self._places = BoundedSemaphore(AT_ONCE)

    def predict(self, text: str) -> PredictionOut:
        """What the model says of a text.

        Raises:
            Problem: 503 if the model has as many calls as it may have, 504 if it took too long, 502 if it
                failed or what it said makes no sense.
            RuntimeError: the machine has no thread for it.
        """
        # Nobody waits for a place: a thread that does is missing elsewhere.
        if not self._places.acquire(blocking=False):
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "The model has as many calls as it may have; try again in a moment.",
                headers={"Retry-After": str(RETRY_SECONDS)},
            )
        answers: SimpleQueue[PredictionOut | None] = SimpleQueue()
        arguments = (text, current_request_id(), answers)
        try:
            # A daemon, so that a call which hangs does not keep the process from ending.
            Thread(target=self._answer, args=arguments, name="model", daemon=True).start()
        except RuntimeError:
            self._places.release()
            raise
        try:
            answer = answers.get(timeout=SECONDS)
        except Empty:
            raise Problem(HTTPStatus.GATEWAY_TIMEOUT, "The model took too long.") from None
        if answer is None:
            raise Problem(
                HTTPStatus.BAD_GATEWAY, "The model failed. The log has the reason, under this request id."
            )
        return answer

    def _answer(self, text: str, request_id: str, answers: "SimpleQueue[PredictionOut | None]") -> None:
        """Put what the model says into `answers`, or None if that is nothing to show to anybody."""
        answer = None
        try:
            # What goes wrong is found by the request's id, also after its end.
            begin_request(request_id)
            model = self._loaded()
            guess = model.predict(text)
            answer = PredictionOut.model_validate(
                {"label": guess.label, "score": guess.score, "model": model.name}
            )
        except BaseException:
            logger.exception("model_failed")
        finally:
            self._places.release()
            answers.put(answer)

    def _loaded(self) -> Model:
        with self._loading:
            if self._model is None:
                self._model = self._load()
            return self._model


predictor = Predictor(load_model)


def predict(text: str) -> PredictionOut:
    """What the model of this process says of a text.

    The transaction of the request ends before, so that no call holds a connection while it waits.

    Raises:
        Problem: what `Predictor.predict` says.
    """
    db.session.commit()
    return predictor.predict(text)
