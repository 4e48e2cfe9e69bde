    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        logger.warning("database_unavailable", exc_info=True)
        raise Problem(503, "The database does not answer.", checks={"database": "failed"}) from error
