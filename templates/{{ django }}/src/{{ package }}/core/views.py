"""Health, the OpenAPI document and its two readers."""

from functools import cache
from threading import Event, Thread
from typing import Any

import structlog
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import engines
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.request import Request
from rest_framework.response import Response

from .middleware import CSP_HEADER, csp_nonce, problem_response
from .problems import PROBLEM_JSON, problem_document
from .requests import SECURITY_HEADERS
from .rest import PROBLEM_SCHEMA

READINESS_TIMEOUT = 2.0

# Both readers insert styles as they draw; Redoc searches in a worker that it makes from a blob.
READER_CSP = "img-src 'self' data:; style-src 'self' 'unsafe-inline'; worker-src blob:"
READER_PAGE = """\
{% load static %}
<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>{{ title }}</title>
  <style>body { margin: 0 }</style>
  <link rel="icon" href="{% static 'drf_spectacular_sidecar/swagger-ui-dist/favicon-32x32.png' %}">
  {% if reader == "swagger" %}
  <link rel="stylesheet" href="{% static 'drf_spectacular_sidecar/swagger-ui-dist/swagger-ui.css' %}">
  {% endif %}
</head>
<body>
  {% if reader == "swagger" %}
  <div id="swagger"></div>
  <script src="{% static 'drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js' %}"></script>
  <script nonce="{{ csp_nonce }}">
    SwaggerUIBundle({ dom_id: "#swagger", url: "{% url 'openapi' %}", deepLinking: true });
  </script>
  {% else %}
  <redoc spec-url="{% url 'openapi' %}"></redoc>
  <script nonce="{{ csp_nonce }}">
    // Redoc asks a third party for its logo. It gets an empty image: this page loads nothing from elsewhere.
    const image = HTMLImageElement.prototype;
    const source = Object.getOwnPropertyDescriptor(image, "src");
    image.setAttribute = function (name, value) {
      const foreign = name === "src" && new URL(value, location.href).origin !== location.origin;
      Element.prototype.setAttribute.call(this, name, foreign ? "data:," : value);
    };
    Object.defineProperty(image, "src", { ...source, set(value) { this.setAttribute("src", value); } });
  </script>
  <script src="{% static 'drf_spectacular_sidecar/redoc/bundles/redoc.standalone.js' %}"></script>
  {% endif %}
</body>
</html>
"""

log = structlog.get_logger(__name__)


class LivenessSerializer(serializers.Serializer[dict[str, str]]):
    status = serializers.CharField()


class ReadinessSerializer(serializers.Serializer[dict[str, str]]):
    status = serializers.CharField()
    checks = serializers.DictField(child=serializers.CharField())


@extend_schema(operation_id="live", tags=["health"], responses=LivenessSerializer)
@api_view(["GET", "HEAD"])
@authentication_classes([])
@permission_classes([])
def live(_request: Request) -> Response:
    """Whether this process answers at all."""
    return Response({"status": "ok"})


@extend_schema(
    operation_id="ready",
    tags=["health"],
    responses={200: ReadinessSerializer, (503, PROBLEM_JSON): PROBLEM_SCHEMA},
)
@api_view(["GET", "HEAD"])
@authentication_classes([])
@permission_classes([])
def ready(request: Request) -> HttpResponse:
    """Whether this process can do its work: its database answers in time."""
    if _database_answers():
        return Response({"status": "ok", "checks": {"database": "ok"}})
    document = problem_document(503, "The database does not answer.", instance=request.path)
    document["checks"] = {"database": "failed"}
    return problem_response(document)


def _database_answers() -> bool:
    answered = Event()

    def ask() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            answered.set()
        except DatabaseError:
            log.warning("database does not answer", exc_info=True)
        finally:
            connection.close()

    # In a thread of its own, because a driver can wait for a silent server longer than any probe does.
    thread = Thread(target=ask, daemon=True)
    thread.start()
    thread.join(READINESS_TIMEOUT)
    return answered.is_set()


@cache
def document() -> dict[str, Any]:
    """The whole contract, made from the code; it needs no server and no database."""
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return schema


@csrf_exempt
@require_safe
def openapi(_request: HttpRequest) -> HttpResponse:
    return JsonResponse(document())


@csrf_exempt
@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    return _reader(request, "swagger")


@csrf_exempt
@require_safe
def redoc(request: HttpRequest) -> HttpResponse:
    return _reader(request, "redoc")


def _reader(request: HttpRequest, reader: str) -> HttpResponse:
    page = engines["django"].from_string(READER_PAGE)
    context = {"reader": reader, "title": document()["info"]["title"]}
    response = HttpResponse(page.render(context, request))
    scripts = f"script-src 'self' 'nonce-{csp_nonce(request)['csp_nonce']}'"
    response.headers[CSP_HEADER] = "; ".join([SECURITY_HEADERS[CSP_HEADER], scripts, READER_CSP])
    return response
