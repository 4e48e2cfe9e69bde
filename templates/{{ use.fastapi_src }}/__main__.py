"""The production server: `python -m` this package. Add `--reload` for development."""

import sys

from .core.server import serve
from .core.settings import get_settings


def main() -> None:
    serve(f"{__package__}.main:app", get_settings(), reload="--reload" in sys.argv[1:])


if __name__ == "__main__":
    main()
