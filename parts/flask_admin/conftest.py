

@pytest.fixture
def staff(
    transaction: Callable[[], AbstractContextManager[None]], acme: Actor, browse: Browse
) -> FlaskClient:
    """A browser with a session of Acme's owner, who may use the admin."""
    with transaction():
        set_staff(acme.user_id, is_staff=True)
    return browse(acme)
