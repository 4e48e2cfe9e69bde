"""Request id, access log, client address and complete bodies of every request."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from io import BytesIO, IOBase
from ipaddress import ip_address
from threading import Semaphore
from time import perf_counter
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.conf import settings
from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase
from django.middleware import common

from .logs import log_request
from .request_id import REQUEST_ID_HEADER, begin_request
from .settings import get_settings


class RequestMiddleware:
    """Give every request an id and a line in the access log."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        # Half of the threads, so that slow clients do not hold all.
        self.draining = Semaphore(get_settings().threads // 2)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = perf_counter()
        request_id = begin_request(request.headers.get(REQUEST_ID_HEADER))
        _set_client_address(request)
        response = self.get_response(request)
        response.headers[REQUEST_ID_HEADER] = request_id
        seconds = perf_counter() - started
        log_request(method=request.method, path=request.path, status=response.status_code, seconds=seconds)
        body = 0 < int(request.META.get("CONTENT_LENGTH") or 0) <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if body and self.draining.acquire(blocking=False):
            with suppress(OSError):
                # Read what the view has not: granian would close the connection, which proxies reuse.
                request.read()
            self.draining.release()
        return response


class CommonMiddleware(common.CommonMiddleware):
    """Django's own, except that probes reach the health checks under any Host."""

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        if request.path_info.startswith("/health/"):
            return None
        return super().process_request(request)


def _set_client_address(request: HttpRequest) -> None:
    """Take the client's address from X-Forwarded-For, to which each of the PROXY_HOPS proxies appends one."""
    hops: int = settings.PROXY_HOPS
    addresses = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    if 0 < hops <= len(addresses):
        with suppress(ValueError):
            request.META["REMOTE_ADDR"] = str(ip_address(addresses[-hops].strip()))


class RequestBodies:
    """WSGI middleware that buffers chunked bodies, and fails where a client disconnects before the end.

    Django takes a chunked body for an empty one, and a part of a body for the whole.
    """

    def __init__(self, application: WSGIApplication) -> None:
        self.application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("CONTENT_LENGTH"):
            environ["wsgi.input"] = _WholeBody(environ["wsgi.input"])
        elif environ.get("HTTP_TRANSFER_ENCODING") and environ.get("wsgi.input_terminated"):
            # One byte more than allowed is enough for Django to refuse the request.
            body = environ["wsgi.input"].read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
            environ["CONTENT_LENGTH"] = str(len(body))
            environ["wsgi.input"] = BytesIO(body)
        return self.application(environ, start_response)


class _WholeBody(IOBase):
    def __init__(self, stream: Any) -> None:  # noqa: ANN401 (any file-like object)
        self.stream = stream

    def read(self, size: int) -> bytes:
        """Read `size` bytes, within the Content-Length; less is an UnreadablePostError in the view."""
        data: bytes = self.stream.read(size)
        if len(data) < size:
            raise OSError("The client disconnected before the end of the body.")
        return data
