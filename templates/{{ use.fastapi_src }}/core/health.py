"""What a supervisor asks: whether the process is alive, and whether it can serve."""

import asyncio
from typing import Literal

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from .openapi import problems
from .problems import PROBLEM_JSON, problem_document

CHECK_SECONDS = 2

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Liveness(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok"}]})

    status: Literal["ok"] = "ok"


class Readiness(Liveness):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"status": "ok", "checks": {"database": "ok"}}]}
    )

    checks: dict[str, Literal["ok"]]


# Made once: probes come often, and this is all that they hear.
ALIVE = Response(Liveness().model_dump_json(), media_type="application/json")


async def live() -> Response:
    """The process answers; nothing else is touched."""
    return ALIVE


async def ready(request: Request) -> Readiness | JSONResponse:
    """Requests can be served: the database answers."""
    if await database_answers(request.state.engine):
        return Readiness(checks={"database": "ok"})
    document = problem_document(503, "The database does not answer.", instance=request.url.path)
    document["checks"] = {"database": "failed"}
    return JSONResponse(document, 503, media_type=PROBLEM_JSON)


async def database_answers(engine: AsyncEngine) -> bool:
    """Whether the database answers a query in time; the reason why it does not goes to the log."""
    try:
        async with asyncio.timeout(CHECK_SECONDS), engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
    except Exception:
        logger.warning("readiness_failed", check="database", exc_info=True)
        return False
    return True


def add_health(app: FastAPI) -> None:
    """Let `app` answer the probes, without a router, through which each of them would be matched twice."""
    app.get("/health/live", tags=["health"], response_model=Liveness)(live)
    app.get("/health/ready", tags=["health"], response_model=Readiness, responses=problems(503))(ready)
