"""The migrations lead to the models and back, in one line."""

from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from apiflask import APIFlask
from flask_migrate import check, downgrade, upgrade

MIGRATIONS = str(Path(__file__).parent.parent.parent / "migrations")


def test_up_and_down_and_in_step(app: APIFlask) -> None:
    with app.app_context():
        downgrade(MIGRATIONS, "base")
        upgrade(MIGRATIONS)
        check(MIGRATIONS)


def test_one_head() -> None:
    configuration = Config()
    configuration.set_main_option("script_location", MIGRATIONS)
    assert len(ScriptDirectory.from_config(configuration).get_heads()) == 1
