"""The production server: `python -m` this package. Add `--reload` for development."""

import sys
from pathlib import Path

from granian.constants import Interfaces

from .core.server import serve
from .core.settings import get_settings


def main() -> None:
    serve(
        f"{__package__}.main:app",
        Interfaces.ASGI,
        get_settings(),
        reload="--reload" in sys.argv[1:],
        reload_paths=[Path(__file__).parent],
        reload_ignore_worker_failure=True,
    )


if __name__ == "__main__":
    main()
