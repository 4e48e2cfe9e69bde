"""The page of a refused sign-in, which the settings name."""

from django.http import HttpRequest, HttpResponse

from ..core.errors import is_api
from ..core.pages import problem_page
from . import throttling


def locked_out(request: HttpRequest, *_: object) -> HttpResponse:
    """Return django-axes' response to a refused sign-in, a page outside the API."""
    if is_api(request):
        return throttling.locked_out(request)
    return problem_page(request, throttling.refusal())
