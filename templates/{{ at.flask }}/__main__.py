"""The server: `python -m` this package; with `--reload`, Flask's development server."""

import sys

from granian.constants import Interfaces
from werkzeug.serving import WSGIRequestHandler

from .core.server import serve
from .core.settings import get_settings


class QuietRequestHandler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: the middleware logs every request."""


if __name__ == "__main__":
    settings = get_settings()
    if "--reload" in sys.argv[1:]:
        from .wsgi import app

        app.config["PROPAGATE_EXCEPTIONS"] = True
        app.run(settings.host, settings.port, debug=True, request_handler=QuietRequestHandler)
    else:
        serve(f"{__package__}.wsgi:app", Interfaces.WSGI, settings, blocking_threads=settings.threads)
