"""What asyncpg accepts in the address of a PostgreSQL server."""

from urllib.parse import parse_qsl

# What asyncpg reads from a URL, and what `create_engine` translates.
PARAMETERS = (
    "application_name channel_binding connect_timeout options passfile service ssl_max_protocol_version "
    "ssl_min_protocol_version sslcert sslcrl sslkey sslmode sslnegotiation sslpassword sslrootcert "
    "target_session_attrs"
)


def check_address(address: str) -> None:
    """Raise a ValueError if asyncpg does not support what follows postgresql://."""
    parameters = dict(parse_qsl(address.partition("?")[2], keep_blank_values=True))
    unknown = sorted(parameters.keys() - PARAMETERS.split())
    if unknown:
        raise ValueError(f"has parameters that asyncpg does not support: {', '.join(unknown)}")
    if not parameters.get("connect_timeout", "0").isdigit():
        raise ValueError("needs a number of seconds as its connect_timeout")
