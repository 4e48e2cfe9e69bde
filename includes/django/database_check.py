def database_answers() -> bool:
    """Return whether the database executes a statement within its timeouts."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        logger.warning("database_unavailable", exc_info=True)
        return False
    return True


def unavailable(request: HttpRequest) -> HttpResponse:
    problem = Problem(503, "The database does not answer.", checks={"database": "failed"})
    return respond(problem, request)
