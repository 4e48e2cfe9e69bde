"""What middleware, logging and routing of a generated project cost: `GET /health/live` against a bare application.

The bare application returns the same body without middleware, on the same server, granian, with the same options.
"""

import sys
from typing import Any

from serving import Target, generated, measure, options, ratio

PATH = "/health/live"
ANSWERS: dict[str, dict[str, Any]] = {
    "fastapi": {"framework": "fastapi"},
    "drf": {"framework": "django", "api": "drf"},
    "ninja": {"framework": "django", "api": "ninja"},
    "flask": {"framework": "flask"},
}
FASTAPI = """
from fastapi import FastAPI

app = FastAPI()


@app.get("/health/live")
async def live() -> dict[str, str]:
    return {"status": "ok"}
"""
FLASK = """
from flask import Flask

app = Flask(__name__)


@app.get("/health/live")
def live() -> dict[str, str]:
    return {"status": "ok"}
"""
DJANGO = """
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path

settings.configure(ALLOWED_HOSTS=["127.0.0.1"], ROOT_URLCONF=__name__, SECRET_KEY="bare")
app = get_wsgi_application()
urlpatterns = [path("health/live", lambda _: JsonResponse({"status": "ok"}))]
"""
BARE = {"fastapi": FASTAPI, "drf": DJANGO, "ninja": DJANGO, "flask": FLASK}
ASGI = ("--with", "granian", "granian", "--port", "{port}", "--interface", "asgi")
WSGI = (*ASGI[:-1], "wsgi", "--blocking-threads", "16")
SERVERS = {
    "fastapi": (*ASGI, "shop.main:app"),
    "drf": (*WSGI, "shop.config.wsgi:application"),
    "ninja": (*WSGI, "shop.config.wsgi:application"),
    "flask": (*WSGI, "shop.wsgi:app"),
}


def main() -> int:
    parser = options(__doc__, rounds=20, seconds=1.0)
    parser.add_argument("--only", choices=ANSWERS, help="one kind of project")
    arguments = parser.parse_args()
    for kind in [arguments.only] if arguments.only else ANSWERS:
        with generated({"bare.py": BARE[kind]}, **ANSWERS[kind]) as project:
            if kind in {"drf", "ninja"}:
                project.run("python", "manage.py", "collectstatic", "--no-input", "--verbosity", "0")
            command = SERVERS[kind]
            ports = project.serve(**{kind: command, "bare": (*command[:-1], "bare:app")})
            message = project.message(PATH)
            targets = {name: Target(port, message, arguments.connections) for name, port in ports.items()}
            rates = measure(targets, rounds=arguments.rounds, seconds=arguments.seconds)
            ratio(rates, kind, "bare")
    return 0


if __name__ == "__main__":
    sys.exit(main())
