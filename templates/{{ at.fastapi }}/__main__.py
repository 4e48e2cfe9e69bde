"""The production server: `python -m` this package. Add `--reload` for development."""

import signal
import sys
from pathlib import Path

import uvicorn

from .core.logs import configure_logging
from .core.server import require_free_port
from .core.settings import get_settings

# Seconds that open requests have to finish after SIGTERM.
SHUTDOWN_SECONDS = 8
MAX_MESSAGE_BYTES = 64 * 1024


def main() -> None:
    settings = get_settings()
    require_free_port(settings.host, settings.port)
    configure_logging(settings)
    # uvicorn raises the signal again after a clean shutdown, which is no failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    reload = "--reload" in sys.argv[1:]
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
