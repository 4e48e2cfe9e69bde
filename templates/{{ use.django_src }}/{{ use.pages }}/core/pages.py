"""Pages for browsers: errors that people can read, redirects that HTMX can follow, what every page shows."""

import json
from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers
from django_htmx.middleware import HtmxDetails

from .middleware import problem_response
from .problems import PROBLEM_JSON, problem_document

# What programs call; their errors stay problem documents, whatever the Accept header says.
MACHINE_PATHS = ("/api/", "/health/", "/webhooks/", "/openapi.json")

_REDIRECTS = {HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.FOUND, HTTPStatus.SEE_OTHER}


class HtmxRequest(HttpRequest):
    """A request behind `HtmxMiddleware`; `htmx` is true for one that HTMX sent."""

    htmx: HtmxDetails


class PageMiddleware:
    """Give browsers problems as pages, and HTMX redirects that lead the whole page elsewhere."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HtmxRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if request.path.startswith(MACHINE_PATHS) or not isinstance(response, HttpResponse):
            return response
        if response.headers.get("Content-Type") == PROBLEM_JSON:
            patch_vary_headers(response, ["Accept", "HX-Request"])
            if request.htmx or "text/html" in request.headers.get("Accept", ""):
                _show_problem(request, response)
        elif request.htmx and response.status_code in _REDIRECTS:
            # The browser would follow it unseen, and the page's part would become the other page.
            response.headers["HX-Redirect"] = response.headers["Location"]
            del response.headers["Location"]
            response.status_code = HTTPStatus.NO_CONTENT
        return response


def _show_problem(request: HtmxRequest, response: HttpResponse) -> None:
    template = "core/_problem.html" if request.htmx else "core/problem.html"
    page = render_to_string(template, {"problem": json.loads(response.content)}, request)
    response.content = page.encode()
    response.headers["Content-Type"] = "text/html; charset=utf-8"
    response.headers["Content-Length"] = str(len(response.content))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """What a form without this session's token gets."""
    detail = "This form is from before you signed in or out, or cookies are off. Open the page again."
    return problem_response(problem_document(403, detail, instance=request.path))


def site(_request: HttpRequest) -> dict[str, object]:
    """The context processor for what is the same on every page."""
    return {"project": settings.SITE_NAME, "navigation": settings.SITE_NAVIGATION}
