"""Every page requires a session, unless it is listed here."""

import re
from collections.abc import Iterator, Sequence

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from httpx2 import AsyncClient
from starlette.routing import BaseRoute, Mount

# Pages without data of a tenant.
PUBLIC = {
    "GET /",
    "GET /sign-in",
    "POST /sign-in",
    "GET /static/",
    "GET /openapi.json",
    "GET /docs",
    "GET /docs/",
    "GET /redoc",
    "GET /redoc/",
    "GET /admin",
    "GET /admin/statics/",
}


def served(routes: Sequence[BaseRoute], prefix: str = "") -> Iterator[str]:
    """Yield every method and path, also of mounts; static files end with a slash."""
    for route in iter_route_contexts(routes):
        if not isinstance(route.original_route, Mount):
            methods = (route.methods or set()) - {"HEAD"}
            yield from (f"{method} {prefix}{route.path_format}" for method in methods)
        elif route.original_route.routes:
            yield from served(route.original_route.routes, f"{prefix}{route.path}")
        else:
            yield f"GET {prefix}{route.path}/"


async def test_every_page_requires_a_session(app: FastAPI, stranger: AsyncClient) -> None:
    described = {
        f"{method.upper()} {path}"
        for path, operations in app.openapi()["paths"].items()
        for method in operations
    }
    pages = set(served(app.routes)) - described
    assert "POST /sign-out" in pages
    for page in pages - PUBLIC:
        method, _, path = page.partition(" ")
        url = re.sub(r"{[^}]+}", "00000000-0000-4000-8000-000000000000", path)
        answer = await stranger.request(method, url)
        assert answer.status_code == 303, page
        assert answer.headers["Location"].partition("?")[0] == "/sign-in"
