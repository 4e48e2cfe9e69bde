"""The Flask extensions, bound to the application by `create_app`."""

from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

from .core.database import Base

db = SQLAlchemy(model_class=Base, disable_autonaming=True)
migrate = Migrate(db=db)
