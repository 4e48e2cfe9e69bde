"""Alembic's environment: the engine and the models of the application."""

import logging
from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrationScript
from flask import current_app
from sqlalchemy import TypeDecorator

db = current_app.extensions["migrate"].db
logger = logging.getLogger("alembic.env")
logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)

# A migration may take long, but must not wait long for a lock, since every request queues behind it. SQLite
# alters a table by copying and dropping it, which must not cascade.
PREPARATION = {
    "postgresql": ("SET statement_timeout = 0", "SET lock_timeout = '5s'"),
    "sqlite": ("PRAGMA foreign_keys = OFF",),
}


def render_item(kind: str, item: object, _: AutogenContext) -> str | Literal[False]:
    """Write the plain type of a column instead of our own: a migration outlives the code."""
    return f"sa.{item.impl!r}" if kind == "type" and isinstance(item, TypeDecorator) else False


def skip_empty(_: object, __: object, scripts: list[MigrationScript]) -> None:
    """Write no migration if the models have not changed."""
    empty = all(operations.is_empty() for operations in scripts[0].upgrade_ops_list)
    if empty and getattr(context.config.cmd_opts, "autogenerate", False):
        scripts.clear()
        logger.info("the models have not changed, no migration is written")


if context.is_offline_mode():
    context.configure(dialect_name=db.engine.dialect.name, target_metadata=db.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    with db.engine.connect() as connection:
        # Do not return it to the pool with these settings.
        connection.detach()
        for statement in PREPARATION[connection.dialect.name]:
            connection.connection.execute(statement)
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            transactional_ddl=True,
            render_item=render_item,
            process_revision_directives=skip_empty,
            **current_app.extensions["migrate"].configure_args,
        )
        with context.begin_transaction():
            context.run_migrations()
            if connection.dialect.name == "sqlite" and (
                broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all()
            ):
                raise RuntimeError(f"{len(broken)} rows refer to missing rows: {broken[:5]}")
