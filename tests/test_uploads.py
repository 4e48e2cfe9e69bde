"""MAX_BODY_BYTES is the default body limit; a route can set its own as its framework documents."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from servers import Server, authorization, problem, runs, serving, working_copy
from support import answers_of

pytestmark = [
    pytest.mark.parametrize("generated", ["django", "fastapi", "flask"], indirect=True, scope="session"),
    pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="session"),
]

DEFAULT, LARGE, SMALL = 100_000, 300_000, 1_000
ROUTES = {
    "fastapi": (
        "items/router.py",
        f"""
from fastapi import Request as _Request


@router.post("/uploads/large", max_body_size={LARGE})
@router.post("/uploads/small", max_body_size={SMALL})
async def upload(request: _Request) -> dict[str, int]:
    return {{"bytes": len(await request.body())}}
""",
    ),
    "flask": (
        "items/views.py",
        f"""
from flask import request as _request


@blueprint.post("/uploads/<any(large, small):size>")
def upload(size):
    _request.max_content_length = {{"large": {LARGE}, "small": {SMALL}}}[size]
    return {{"bytes": len(_request.get_data())}}
""",
    ),
    # Files count for no limit of Django's own; a view limits them with an upload handler.
    "django": (
        "items/api.py",
        f"""
from django.core.exceptions import RequestDataTooBig as _RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler as _FileUploadHandler
from django.urls import path as _path
from rest_framework.parsers import MultiPartParser as _MultiPartParser
from rest_framework.response import Response as _Response
from rest_framework.views import APIView as _APIView


class _Quota(_FileUploadHandler):
    def __init__(self, request, limit):
        super().__init__(request)
        self.left = limit

    def receive_data_chunk(self, raw_data, start):
        self.left -= len(raw_data)
        if self.left < 0:
            raise _RequestDataTooBig
        return raw_data

    def file_complete(self, file_size):
        return None


class _UploadView(_APIView):
    parser_classes = (_MultiPartParser,)
    limit = {LARGE}

    def post(self, request):
        request.upload_handlers.insert(0, _Quota(request, self.limit))
        return _Response({{"bytes": request.FILES["file"].size}})


urlpatterns += [
    _path("items/uploads/large", _UploadView.as_view()),
    _path("items/uploads/small", _UploadView.as_view(limit={SMALL})),
]
""",
    ),
}


@pytest.fixture(scope="session")
def uploads(project: Path, database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a lower default, and two routes for uploads."""
    copy = working_copy(project, tmp_path_factory.mktemp("uploads") / "shop")
    place, source = ROUTES[answers_of(project)["framework"]]
    path = copy / "src" / "shop" / place
    path.write_text(path.read_text() + source)
    with serving(copy, DATABASE_URL=database, MAX_BODY_BYTES=str(DEFAULT), **runs(copy)) as running:
        yield running


@pytest.mark.parametrize(
    ("route", "length", "status"),
    [
        ("large", DEFAULT * 2, 200),
        ("large", LARGE * 2, 413),
        ("small", SMALL // 2, 200),
        ("small", SMALL * 2, 413),
    ],
)
def test_route_has_its_own_body_limit(project: Path, uploads: Server, route: str, length: int, status: int) -> None:
    url, headers = f"{uploads.url}/api/v1/items/uploads/{route}", authorization(project, uploads)
    content = b"x" * length
    if answers_of(project)["framework"] == "django":
        answer = httpx.post(url, files={"file": ("file.bin", content)}, headers=headers, timeout=15)
    else:
        answer = httpx.post(url, content=content, headers=headers, timeout=15)
    if status == 200:
        assert (answer.status_code, answer.json()) == (200, {"bytes": length}), answer.text
    else:
        problem(answer, status)


@pytest.mark.parametrize("chunked", [False, True])
def test_other_routes_have_the_default_body_limit(project: Path, uploads: Server, chunked: bool) -> None:
    headers = {**authorization(project, uploads), "content-type": "application/json"}
    body = b'{"customer": "%s"}' % (b"x" * DEFAULT)
    content = iter([body[:SMALL], body[SMALL:]]) if chunked else body
    problem(httpx.post(f"{uploads.url}/api/v1/invoices", content=content, headers=headers, timeout=15), 413)
