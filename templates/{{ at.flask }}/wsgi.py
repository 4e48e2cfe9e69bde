"""The application as the production server imports it."""

from .app import create_app

app = create_app()
# Answer a failure with a problem document also where DEBUG is on; `just dev` has the debugger.
app.config["PROPAGATE_EXCEPTIONS"] = False
# What only a server needs, such as loading a model.
for start in app.extensions.get("on_serve", ()):
    start()
