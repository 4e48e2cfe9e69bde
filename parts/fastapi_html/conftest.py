{% if has_accounts %}


@pytest.fixture
async def stranger(transport: ASGITransport) -> AsyncIterator[AsyncClient]:
    """A browser that is not signed in."""
    headers = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
    async with AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as browser:
        yield browser


@pytest.fixture
def browse(transport: ASGITransport) -> Browse:
    """Return a browser in which the actor is signed in."""

    async def browse(actor: Actor) -> AsyncClient:
        headers = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
        browser = AsyncClient(transport=transport, base_url="http://localhost", headers=headers)
        answer = await browser.post("/sign-in", data={"email": actor.email, "password": PASSWORD})
        assert answer.status_code == 303
        return browser

    return browse
{% endif %}
