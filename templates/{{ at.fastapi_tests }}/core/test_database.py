"""Smoke test of the migrations."""

from alembic import command
from alembic.config import Config


def test_migrations_match_the_models_and_can_be_reverted(alembic_config: Config) -> None:
    command.check(alembic_config)
    command.downgrade(alembic_config, "base")
    command.upgrade(alembic_config, "head")
