"""What the spine of a generated FastAPI project costs against bare FastAPI: medians, ratios, PASS or FAIL.

Over the network in requests per second, in turn; in one process in CPU time per request, without a server. The bare
application has no middleware; token check, queries, pool and server are the generated project's.
"""

import sys

from serving import Project, compare, generated, options

LISTED = "/api/v1/invoices?limit=1"
LIVE = "/health/live"
AT_LEAST = {"invoice": 0.8, "live": 0.85}
AT_MOST = 1.4

# Run as a program, it starts the project's own server, only with another application: itself.
BARE = """
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from shop.accounts import queries, tokens
from shop.billing.models import Invoice
from shop.billing.schemas import InvoiceOut
from shop.core.database import create_engine, session_factory
from shop.core.health import Liveness
from shop.core.settings import get_settings

settings = get_settings()
engine = create_engine(settings.database_url)
sessions = session_factory(engine)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)


async def get_session() -> AsyncIterator[AsyncSession]:
    async with sessions.begin() as session:
        yield session


Session = Annotated[AsyncSession, Depends(get_session)]


async def get_organization(
    token: Annotated[str, Depends(OAuth2PasswordBearer("/api/v1/auth/token"))], session: Session
) -> UUID:
    claims = tokens.verify(settings.secret_key, token)
    member = claims and await queries.member(session, claims.membership_id)
    if (
        not claims
        or not member
        or not member.user.is_active
        or claims.fingerprint != tokens.fingerprint(settings.secret_key, member.user.password_hash)
    ):
        raise HTTPException(401)
    return member.membership.organization_id


@app.get("/health/live")
async def live() -> Liveness:
    return Liveness()


@app.get("/api/v1/invoices/{id}")
async def invoice(
    id: UUID, organization_id: Annotated[UUID, Depends(get_organization)], session: Session
) -> InvoiceOut:
    found = await session.get(Invoice, id)
    if found is None or found.organization_id != organization_id:
        raise HTTPException(404)
    return InvoiceOut.model_validate(found)


if __name__ == "__main__":
    import uvicorn

    run = uvicorn.run
    uvicorn.run = lambda _, **options: run("bare:app", **options)
    from shop.__main__ import main

    main()
"""

# The typed endpoint that both applications get: a path, a query and an answer, all validated.
IN_PROCESS = '''
import asyncio
import gc
import time
from datetime import UTC, datetime
from statistics import median
from uuid import UUID

from fastapi import APIRouter, FastAPI
from pydantic import BaseModel

from shop.main import create_app

ROUNDS, REQUESTS = 40, 250
ID = "0f0ad2f6-2f4a-4c0f-9b7e-6f1f3a1f2b11"


class Thing(BaseModel):
    id: UUID
    name: str
    size: int
    created_at: datetime


router = APIRouter()


@router.get("/things/{id}")
async def thing(id: UUID, size: int = 1) -> Thing:
    return Thing(id=id, name="thing", size=size, created_at=datetime.now(UTC))


def scope():
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
        "scheme": "http",
        "root_path": "",
        "method": "GET",
        "path": f"/things/{ID}",
        "raw_path": f"/things/{ID}".encode(),
        "query_string": b"size=3",
        "headers": [(b"host", b"127.0.0.1"), (b"accept", b"*/*"), (b"user-agent", b"benchmark")],
        "state": {},
    }


async def receive():
    return {"type": "http.request", "body": b"", "more_body": False}


async def send(message):
    assert message["type"] != "http.response.start" or message["status"] == 200


async def microseconds(app):
    """What one request takes of the processor."""
    requests = [scope() for _ in range(REQUESTS)]
    gc.collect()
    began = time.process_time()
    for request in requests:
        await app(request, receive, send)
    return (time.process_time() - began) / REQUESTS * 1e6


async def main():
    apps = {"bare": FastAPI(), "product": create_app()}
    times = {name: [] for name in apps}
    for app in apps.values():
        app.include_router(router)
        # Else it would be found after all the others, where there are others.
        app.router.routes.insert(0, app.router.routes.pop())
    for number in range(-2, ROUNDS):
        for name in sorted(apps, reverse=number % 2 == 0):
            measured = await microseconds(apps[name])
            if number >= 0:
                times[name].append(measured)
    for name, measured in times.items():
        print(name, median(measured), min(measured), max(measured))
    print("ratio", median(p / b for p, b in zip(times["product"], times["bare"], strict=True)))


asyncio.run(main())
'''


def in_process(project: Project) -> bool:
    """Whether the spine costs little enough of the processor, after saying how much."""
    print("a typed endpoint in one process")
    for line in project.run("python", "in_process.py").splitlines():
        name, typical, *span = line.split()
        if name == "ratio":
            ratio = float(typical)
        else:
            least, most = map(float, span)
            print(f"{name:<8} median {float(typical):7.1f} µs/request    ({least:.1f} to {most:.1f})")
    verdict = "PASS" if ratio <= AT_MOST else "FAIL"
    print(f"product / bare   {ratio:.2f}   at most {AT_MOST}   {verdict}")
    return ratio <= AT_MOST


def main() -> int:
    arguments = options(__doc__, rounds=40, seconds=0.5).parse_args()
    with generated({"bare.py": BARE, "in_process.py": IN_PROCESS}, framework="fastapi") as project:
        results = [in_process(project)]
        ports = project.serve(product=("just", "serve"), bare=("python", "bare.py"))
        results.append(compare("GET " + LIVE, ports, project.message(LIVE), arguments, at_least=AT_LEAST["live"]))
        project.sign_in(ports["product"])
        (listed,) = project.get(ports["product"], LISTED).json()["items"]
        path = f"/api/v1/invoices/{listed['id']}"
        if any(project.get(port, path).json() != listed for port in ports.values()):
            raise SystemExit("The two servers have different invoices.")
        results.append(
            compare("GET /api/v1/invoices/{id}", ports, project.message(path), arguments, at_least=AT_LEAST["invoice"])
        )
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
