def sentence(error: Mapping[str, Any]) -> str:
    """What is wrong, as Pydantic found it, in words for people."""
    if error["type"] in _SENTENCES:
        return _SENTENCES[error["type"]].format(**error.get("ctx", {}))
    return str(error["msg"].removeprefix("Value error, "))


def local(path: str | None) -> str | None:
    """The path if it is one of ours, so that no link leads from our sign-in page to somebody else's site."""
    return path if path and _LOCAL.fullmatch(path) else None
