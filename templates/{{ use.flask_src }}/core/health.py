"""Probes: whether the process is alive, and whether it can do its work."""

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from http import HTTPStatus
from typing import Literal

import structlog
from apiflask import APIBlueprint
from flask import Response, request
from pydantic import BaseModel
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from ..extensions import db
from .boundary import problem_response
from .problems import problem_document

TIMEOUT_SECONDS = 2

health = APIBlueprint("health", __name__, tag="Health", url_prefix="/health")
logger = structlog.stdlib.get_logger(__name__)

# One thread: while a check hangs in the driver, the next ones time out behind it and cost nothing more.
_checks = ThreadPoolExecutor(max_workers=1, thread_name_prefix="readiness")


class Liveness(BaseModel):
    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    status: Literal["ok"] = "ok"
    checks: dict[str, Literal["ok"]]


@health.get("/live")
@health.output(Liveness)
@health.doc(operation_id="health_live")
def live() -> Liveness:
    """The process answers."""
    return Liveness()


@health.get("/ready")
@health.output(Readiness)
@health.doc(operation_id="health_ready", responses={503: "A check failed"})
def ready() -> Readiness | Response:
    """The process can do its work: the database answers, and soon."""
    if _database_answers():
        return Readiness(checks={"database": "ok"})
    detail = "The database does not answer."
    document = problem_document(HTTPStatus.SERVICE_UNAVAILABLE, detail, instance=request.path)
    document["checks"] = {"database": "failed"}
    return problem_response(document)


def _database_answers() -> bool:
    check = _checks.submit(copy_context().run, _ask, db.engine)
    try:
        check.result(timeout=TIMEOUT_SECONDS)
    except (SQLAlchemyError, TimeoutError) as error:
        check.cancel()
        logger.warning("database_unreachable", reason=str(error) or type(error).__name__)
        return False
    return True


def _ask(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
