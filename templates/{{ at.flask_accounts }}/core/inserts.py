"""INSERT … ON CONFLICT, for which SQLAlchemy has a construct per database."""

from sqlalchemy.dialects import postgresql, sqlite

from ..extensions import db
from .database import Base


def insert_into(model: type[Base]) -> postgresql.Insert | sqlite.Insert:
    """Return an INSERT that accepts `on_conflict_do_nothing` and `on_conflict_do_update`."""
    is_sqlite = db.session.get_bind().dialect.name == "sqlite"
    return sqlite.insert(model) if is_sqlite else postgresql.insert(model)
