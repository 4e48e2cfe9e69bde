{% raw %}def _database_answers() -> bool:
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


{% endraw %}
# Both readers insert styles as they draw; Redoc {{ 'brings its fonts along' if use.no_api else 'searches in a worker that it makes from a blob' }}.
{% raw %}READER_CSP = "img-src 'self' data:; style-src 'self' 'unsafe-inline'; {% endraw %}{{ 'font-src data:' if use.no_api else 'worker-src blob:' }}{% raw %}"
READER_PAGE = """\
{% load static %}
<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>{{ title }}</title>
  <style>body { margin: 0 }</style>
  <link rel="icon" href="{% endraw %}{{ assets.icon }}{% raw %}">
  {% if reader == "swagger" %}
  <link rel="stylesheet" href="{% endraw %}{{ assets.css }}{% raw %}">
  {% endif %}
</head>
<body>
  {% if reader == "swagger" %}
  <div id="swagger"></div>
  <script src="{% endraw %}{{ assets.swagger }}{% raw %}"></script>
  <script nonce="{{ csp_nonce }}">
    SwaggerUIBundle({ dom_id: "#swagger", url: "{% url 'openapi' %}", deepLinking: true });
  </script>
  {% else %}
  <redoc spec-url="{% url 'openapi' %}"{% endraw %}{{ ' disable-telemetry="true"' if use.no_api else '' }}{% raw %}></redoc>
  <script nonce="{{ csp_nonce }}">
{% endraw %}
{% if use.no_api %}
    // Its search would make a worker by eval, which the policy forbids; without workers it needs none.
    window.Worker = undefined;
{% endif %}
{% raw %}    // Redoc asks a third party for its logo. It gets an empty image: this page loads nothing from elsewhere.
    const image = HTMLImageElement.prototype;
    const source = Object.getOwnPropertyDescriptor(image, "src");
    image.setAttribute = function (name, value) {
      const foreign = name === "src" && new URL(value, location.href).origin !== location.origin;
      Element.prototype.setAttribute.call(this, name, foreign ? "data:," : value);
    };
    Object.defineProperty(image, "src", { ...source, set(value) { this.setAttribute("src", value); } });
  </script>
  <script{% endraw %}{{ ' type="module"' if use.no_api else '' }}{% raw %} src="{% endraw %}{{ assets.redoc }}{% raw %}"></script>
  {% endif %}
</body>
</html>
"""


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
{% endraw %}
