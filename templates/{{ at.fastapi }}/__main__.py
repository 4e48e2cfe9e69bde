"""The production server: `python -m` this package. Add `--reload` for development."""

import logging
import signal
import sys
from pathlib import Path
from typing import Never

import uvicorn

from .core.logs import configure_logging
from .core.server import require_free_port
from .core.settings import PROJECT_ROOT, get_settings

# Seconds that open requests have to finish after SIGTERM.
SHUTDOWN_SECONDS = 8
MAX_MESSAGE_BYTES = 64 * 1024


def require_migrations() -> None:
    """Exit with a message if the database does not answer or lacks migrations."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # Production does without Alembic.
    from alembic.config import Config  # noqa: PLC0415
    from alembic.runtime.environment import EnvironmentContext  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config(toml_file=PROJECT_ROOT / "pyproject.toml")
    script = ScriptDirectory.from_config(config)

    def check(heads: tuple[str, ...], _: object) -> list[Never]:
        known = {each.revision for each in script.walk_revisions()}
        # The database may have migrations of another branch.
        lacks = len(known) - len(script.get_all_current(heads)) if {*heads} <= known else 0
        if lacks:
            sys.exit(f"Run `just migrate` first: the database lacks {lacks} migration(s).")
        return []

    with EnvironmentContext(config, script, fn=check, dont_mutate=True):
        script.run_env()


def main() -> None:
    settings = get_settings()
    require_free_port(settings.host, settings.port)
    configure_logging(settings)
    # uvicorn raises the signal again after a clean shutdown, which is no failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    reload = "--reload" in sys.argv[1:]
    if reload:
        require_migrations()
    uvicorn.run(
        f"{__package__}.main:app",
        host=settings.host,
        port=settings.port,
        workers=settings.web_concurrency,
        reload=reload,
        reload_dirs=[str(Path(__file__).parent)] if reload else None,
        # PROXY_HOPS says whose headers to trust.
        proxy_headers=False,
        # The idle timeout of keep-alive connections is uvicorn's, 5 s; the proxy limits slow clients.
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        ws_max_size=MAX_MESSAGE_BYTES,
        # Compression takes 50 KB per client and gains little on small messages.
        ws_per_message_deflate=False,
        log_config=None,
        access_log=False,
        server_header=False,
    )


if __name__ == "__main__":
    main()
