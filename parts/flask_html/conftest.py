{% if has_accounts %}


@pytest.fixture
def stranger(app: APIFlask, connection: Connection) -> FlaskClient:
    """A browser without a session."""
    browser = app.test_client()
    browser.environ_base |= {"HTTP_ACCEPT": "text/html", "HTTP_SEC_FETCH_SITE": "same-origin"}
    return browser


@pytest.fixture
def browse(app: APIFlask, connection: Connection) -> Browse:
    """Create a browser with a session of the actor."""

    def browse(actor: Actor) -> FlaskClient:
        browser = app.test_client()
        browser.environ_base |= {"HTTP_ACCEPT": "text/html", "HTTP_SEC_FETCH_SITE": "same-origin"}
        response = browser.post("/sign-in", data={"email": actor.email, "password": PASSWORD})
        assert response.status_code == 303
        return browser

    return browse
{% endif %}
