"""The server: `python -m` this package, with `--reload` while developing."""

import signal
import sys
from pathlib import Path

import uvicorn

from .core.logs import configure_logging
from .core.protocol import HttpProtocol
from .core.settings import get_settings

# A request in flight has this long to finish after SIGTERM.
SHUTDOWN_SECONDS = 8
# A WebSocket whose client does not answer a ping in time is closed.
PING_SECONDS = 20
# Of what a client sends over a WebSocket.
MAX_MESSAGE_BYTES = 64 * 1024


def main() -> None:
    settings = get_settings()
    configure_logging(level=settings.log_level, json=settings.log_format == "json")
    # Uvicorn repeats the signal once it has shut down in good order, and that is no failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    reload = "--reload" in sys.argv[1:]
    uvicorn.run(
        f"{__package__}.main:app",
        host=settings.host,
        port=settings.port,
        forwarded_allow_ips=settings.forwarded_allow_ips,
        workers=settings.web_concurrency,
        reload=reload,
        reload_dirs=[str(Path(__file__).parent)] if reload else None,
        http=HttpProtocol,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        ws_max_size=MAX_MESSAGE_BYTES,
        # It takes 50 KB for each client, and small messages hardly shrink.
        ws_per_message_deflate=False,
        log_config=None,
        access_log=False,
        server_header=False,
    )


if __name__ == "__main__":
    main()
