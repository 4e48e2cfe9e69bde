"""The production server: granian."""

import socket
import sys
from typing import Any

from granian import Granian
from granian.constants import Interfaces

from .logs import configure_logging
from .settings import Settings

# Seconds that open requests have to finish after SIGTERM.
SHUTDOWN_SECONDS = 25


def serve(target: str, interface: Interfaces, settings: Settings, **options: Any) -> None:  # noqa: ANN401
    """Serve an application until SIGTERM.

    Args:
        target: where the application is, such as `package.module:application`.
        interface: WSGI or ASGI.
        settings: the address, the port and the number of processes.
        options: more options of `granian.Granian`.

    Raises:
        SystemExit: another process listens on the port.
    """
    require_free_port(settings.host, settings.port)
    configure_logging(level=settings.log_level, json=settings.log_format == "json")
    Granian(
        target,
        interface=interface,
        address=settings.host,
        port=settings.port,
        workers=settings.web_concurrency,
        workers_kill_timeout=SHUTDOWN_SECONDS,
        # Granian's own lines go through our handler.
        log_dictconfig={"loggers": {}},
        **options,
    ).serve()


def require_free_port(host: str, port: int) -> None:
    """Stop where the port is taken: granian would share it with the other process.

    Raises:
        SystemExit: the address cannot be bound.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if sys.platform != "win32":
            # Ignore connections of an earlier server that are still closing.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            remedy = "stop the other server, or set PORT to a free one"
            raise SystemExit(f"Cannot listen on {host}:{port}, {error.strerror}: {remedy}.") from None
