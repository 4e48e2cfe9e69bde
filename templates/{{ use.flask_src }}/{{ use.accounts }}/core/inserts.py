"""INSERT … ON CONFLICT, which SQLite and PostgreSQL spell alike and SQLAlchemy has once for each."""

from sqlalchemy.dialects import postgresql, sqlite

from ..extensions import db
from .database import Base


def insert_into(model: type[Base]) -> postgresql.Insert | sqlite.Insert:
    """An INSERT for the table of `model` that can say what happens where the row is there already."""
    is_sqlite = db.session.get_bind().dialect.name == "sqlite"
    return sqlite.insert(model) if is_sqlite else postgresql.insert(model)
