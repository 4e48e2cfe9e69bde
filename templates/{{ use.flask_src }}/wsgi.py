"""The application as servers and the `flask` command import it."""

from .app import create_app

app = create_app()
