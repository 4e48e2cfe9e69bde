"""The Flask extensions, made here and bound to the application by its factory."""

from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

from .core.database import Base

db = SQLAlchemy(model_class=Base, disable_autonaming=True)
migrate = Migrate(db=db)
