"""Health checks: `live` reports that the process answers, `ready` that it can do its work."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Literal

import structlog
from apiflask import APIBlueprint, APIFlask
from flask import current_app
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from ..extensions import db
from .problems import Problem

Check = Callable[[], bool]

blueprint = APIBlueprint("health", __name__, tag="health", url_prefix="/health")
logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Liveness(BaseModel, json_schema_extra={"examples": [{"status": "ok"}]}):
    status: Literal["ok"] = "ok"


class Readiness(Liveness, json_schema_extra={"examples": [{"status": "ok", "checks": {"database": "ok"}}]}):
    checks: dict[str, Literal["ok"]]


def add_check(app: APIFlask, name: str, check: Check) -> None:
    """Let readiness depend on a check, which returns whether all is well."""
    app.extensions.setdefault("health", {})[name] = check


def init_app(app: APIFlask) -> None:
    """Serve the health checks."""
    add_check(app, "database", database_answers)
    app.register_blueprint(blueprint)


@blueprint.get("/live")
@blueprint.output(Liveness)
@blueprint.doc(operation_id="health_live")
def live() -> Liveness:
    """Report that the process answers."""
    return Liveness()


@blueprint.get("/ready")
@blueprint.output(Readiness)
@blueprint.doc(operation_id="health_ready", responses={503: "A check failed."})
def ready() -> Readiness:
    """Report whether the process can do its work."""
    checks: dict[str, Check] = current_app.extensions["health"]
    states = {name: "ok" if check() else "failed" for name, check in checks.items()}
    if failed := [name for name, state in states.items() if state == "failed"]:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, f"Not ready: {', '.join(failed)}.", checks=states)
    return Readiness(checks=dict.fromkeys(checks, "ok"))


def database_answers() -> bool:
    """Return whether the database answers a query."""
    try:
        db.session.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        db.session.rollback()
        logger.warning("database_unreachable", reason=str(error))
        return False
    return True
