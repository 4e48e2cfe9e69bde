"""The server: `python -m` this package; with `--reload`, Flask's development server."""

import logging
import sys

from granian.constants import Interfaces
from werkzeug.serving import WSGIRequestHandler, is_running_from_reloader

from .core.database_url import require_database
from .core.server import serve
from .core.settings import get_settings


class QuietRequestHandler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: the middleware logs every request."""


if __name__ == "__main__":
    settings = get_settings()
    if "--reload" in sys.argv[1:]:
        from alembic.migration import MigrationContext
        from alembic.script import ScriptDirectory

        from .extensions import db
        from .wsgi import app

        if not is_running_from_reloader():
            logging.getLogger("alembic").setLevel(logging.WARNING)
            require_database(settings.database_url)
            with app.app_context(), db.engine.connect() as connection:
                heads = MigrationContext.configure(connection).get_current_heads()
            script = ScriptDirectory("migrations")
            known = {each.revision for each in script.walk_revisions()}
            # The database may have migrations of another branch.
            lacks = len(known) - len(script.get_all_current(heads)) if {*heads} <= known else 0
            if lacks:
                sys.exit(f"Run `just migrate` first: the database lacks {lacks} migration(s).")
        app.config["PROPAGATE_EXCEPTIONS"] = True
        app.run(settings.host, settings.port, debug=True, request_handler=QuietRequestHandler)
    else:
        serve(f"{__package__}.wsgi:app", Interfaces.WSGI, settings, blocking_threads=settings.threads)
