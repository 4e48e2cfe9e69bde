def sentence(error: Mapping[str, Any]) -> str:
    """Return a message for people for an error of Pydantic."""
    if error["type"] in _SENTENCES:
        return _SENTENCES[error["type"]].format(**error.get("ctx", {}))
    return str(error["msg"].removeprefix("Value error, "))


def local(path: str | None) -> str | None:
    """Return the path if it is on this site, else None. Prevents open redirects."""
    return path if path and _LOCAL.fullmatch(path) else None
