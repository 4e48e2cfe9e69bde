"""Health checks: the process is alive, and can serve requests."""

import asyncio
from typing import Literal

import structlog
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy import text

from .errors import problem_response
from .openapi import problems
from .problems import Problem

CHECK_SECONDS = 2

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

router = APIRouter(prefix="/health", tags=["health"])


class Liveness(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok"}]})

    status: Literal["ok"] = "ok"


class Readiness(Liveness):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"status": "ok", "checks": {"database": "ok"}}]}
    )

    checks: dict[str, Literal["ok"]]


@router.get("/live", summary="Answer while the process is alive.")
async def live() -> Liveness:
    return Liveness()


@router.get(
    "/ready", summary="Check that the database answers.", response_model=Readiness, responses=problems(503)
)
async def ready(request: Request) -> Readiness | Response:
    try:
        async with asyncio.timeout(CHECK_SECONDS), request.state.engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
    except Exception:
        logger.warning("readiness_failed", check="database", exc_info=True)
        problem = Problem(503, "The database does not answer.", checks={"database": "failed"})
        return problem_response(problem, request.scope)
    return Readiness(checks={"database": "ok"})
