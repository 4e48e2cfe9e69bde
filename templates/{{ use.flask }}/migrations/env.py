"""How Alembic reaches the database: with the engine and the models of the application."""

import logging
from typing import Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrationScript
from flask import current_app
from sqlalchemy import TypeDecorator

db = current_app.extensions["migrate"].db
logger = logging.getLogger("alembic.env")

# A migration may take its time, but not make everybody queue behind it for a lock. SQLite changes a table by
# copying and dropping it, which must not cascade.
PREPARATION = {
    "postgresql": ("SET statement_timeout = 0", "SET lock_timeout = '5s'"),
    "sqlite": ("PRAGMA foreign_keys = OFF",),
}


def render_item(kind: str, item: object, _: AutogenContext) -> str | Literal[False]:
    """Write the column type into a migration, not the class that converts its values in Python."""
    return f"sa.{item.impl!r}" if kind == "type" and isinstance(item, TypeDecorator) else False


def leave_out_if_empty(_: object, __: object, scripts: list[MigrationScript]) -> None:
    """Write no migration where the models are in step."""
    empty = all(operations.is_empty() for operations in scripts[0].upgrade_ops_list)
    if empty and getattr(context.config.cmd_opts, "autogenerate", False):
        scripts.clear()
        logger.info("the models are in step, nothing to migrate")


def run_offline() -> None:
    context.configure(dialect_name=db.engine.dialect.name, target_metadata=db.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


def run_online() -> None:
    with db.engine.connect() as connection:
        # Not given back to the pool, so that what is set here ends here.
        connection.detach()
        for statement in PREPARATION[connection.dialect.name]:
            connection.connection.execute(statement)
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            transactional_ddl=True,
            render_item=render_item,
            process_revision_directives=leave_out_if_empty,
            **current_app.extensions["migrate"].configure_args,
        )
        with context.begin_transaction():
            context.run_migrations()
            if connection.dialect.name == "sqlite":
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
                if broken:
                    raise RuntimeError(f"{len(broken)} rows refer to what is not there: {broken[:5]}")


if context.is_offline_mode():
    run_offline()
else:
    run_online()
