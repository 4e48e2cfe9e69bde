"""Pages for browsers: error pages, redirects that HTMX follows, and the context of every page."""

from collections.abc import Callable
from functools import cache
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django_htmx.middleware import HtmxDetails

from .apps import files
from .errors import as_problem, is_api, status_problem
from .problems import Problem

_REDIRECTS = {HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.FOUND, HTTPStatus.SEE_OTHER}


class HtmxRequest(HttpRequest):
    """A request behind `HtmxMiddleware`; `htmx` is true for one that HTMX sent."""

    htmx: HtmxDetails


class PageMiddleware:
    """Show the problems of pages as pages, and redirect HTMX's requests as a whole page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HtmxRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if request.htmx and response.status_code in _REDIRECTS:
            # The browser would follow the redirect and put the other page into a part of this one.
            response.headers["HX-Redirect"] = response.headers["Location"]
            del response.headers["Location"]
            response.status_code = HTTPStatus.NO_CONTENT
        return response

    def process_exception(self, request: HtmxRequest, exception: Exception) -> HttpResponse | None:
        """Answer a problem outside the API with a page."""
        problem = as_problem(exception)
        return None if problem is None or is_api(request) else problem_page(request, problem)


def problem_page(request: HttpRequest, problem: Problem) -> HttpResponse:
    """Return the page of a problem; HTMX gets a message."""
    template = "core/_problem.html" if getattr(request, "htmx", False) else "core/problem.html"
    response = render(request, template, {"problem": problem.document(request.path)}, status=problem.status)
    for name, value in problem.headers.items():
        response.headers[name] = value
    return response


# Django's handlers, named in config/urls.py, and its CSRF_FAILURE_VIEW.


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem_page(request, status_problem(400))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem_page(request, status_problem(403))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem_page(request, status_problem(404))


def server_error(request: HttpRequest) -> HttpResponse:
    return problem_page(request, status_problem(500))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    detail = _("This form is from before you signed in or out, or cookies are off. Open the page again.")
    return problem_page(request, Problem(403, detail))


@cache
def navigation() -> list[tuple[str, str]]:
    """Return the links at the top of every page, the NAVIGATION of each pages.py: texts and URL names."""
    return [link for found in files("pages") for link in getattr(found, "NAVIGATION", ())]


def home(_request: HttpRequest) -> HttpResponse:
    """Redirect to the first page of the navigation."""
    return redirect(next((name for _text, name in navigation()), "profile"))


def site(_request: HttpRequest) -> dict[str, object]:
    """Return the context of every page: a context processor."""
    return {"project": settings.SITE_NAME, "navigation": navigation()}
