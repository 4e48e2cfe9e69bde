"""Every route of the API requires a token, unless it is listed here."""

import re

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

# Webhooks are signed instead.
PUBLIC = {
    "GET /health/live",
    "GET /health/ready",
    "POST /api/v1/auth/token",
    "POST /webhooks/payments",
}


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer forged"}])
async def test_every_route_requires_a_token(
    app: FastAPI, client: AsyncClient, headers: dict[str, str]
) -> None:
    routes = {
        f"{method.upper()} {path}": operation
        for path, operations in app.openapi()["paths"].items()
        for method, operation in operations.items()
    }
    assert "GET /api/v1/me" in routes
    for route in routes.keys() - PUBLIC:
        method, _, path = route.partition(" ")
        url = re.sub(r"\{\w+\}", "00000000-0000-4000-8000-000000000000", path)
        answer = await client.request(method, url, headers=headers)
        assert answer.status_code == 401, route
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert "401" in routes[route]["responses"]
        assert routes[route]["security"]
