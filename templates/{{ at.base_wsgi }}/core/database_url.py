"""What libpq accepts in the address of a PostgreSQL server."""

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict


def check_address(address: str) -> None:
    """Raise a ValueError if libpq does not accept what follows postgresql://."""
    try:
        conninfo_to_dict(f"postgresql://{address}")
    except ProgrammingError as error:
        raise ValueError(f"must be a postgresql:// address that libpq accepts: {error}") from None
