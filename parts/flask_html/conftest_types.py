Browse = Callable[[Actor], FlaskClient]
