"""Work after the commit, such as mail: in threads of the server process, so that no response waits for it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from apiflask import APIFlask
from flask import current_app
from sqlalchemy import event
from structlog.contextvars import bound_contextvars, get_contextvars

from ..extensions import db

THREADS = 4

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def init_app(app: APIFlask) -> None:
    """Prepare the threads. They start with the first call, and a process that stops waits for them."""
    app.extensions["background"] = ThreadPoolExecutor(THREADS, "background").submit


def after_commit(call: Callable[..., None], *arguments: Any, **named: Any) -> None:  # noqa: ANN401 (passed on)
    """Call a function with an application context, once the transaction of this request is committed.

    A failure is only logged.
    """
    context, log_context = current_app.app_context(), get_contextvars()
    start = current_app.extensions["background"]

    def run() -> None:
        with context, bound_contextvars(**log_context):
            try:
                call(*arguments, **named)
            except Exception:
                logger.exception("background_call_failed", function=call.__qualname__)

    event.listen(db.session(), "after_commit", lambda _: start(run), once=True)
