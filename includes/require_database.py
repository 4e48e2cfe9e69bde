def require_database(url: str) -> None:
    """Exit with a message if no server of a postgresql:// URL can be reached."""
    address, _, query = url.partition("://")[2].partition("?")
    servers = address.partition("/")[0].rpartition("@")[2]
    for server in (urlsplit(f"//{each}") for each in servers.split(",")):
        host = server.hostname or ""
        # The driver finds a socket, and a host that is a parameter.
        if not host or "%" in host or "host" in query:
            return
        with suppress(OSError, ValueError), socket.create_connection((host, server.port or 5432), timeout=5):
            return
    raise SystemExit(f"The database at {servers} does not answer: start it, or change DATABASE_URL in .env.")
