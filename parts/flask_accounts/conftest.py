

@pytest.fixture
def acme(transaction: Callable[[], AbstractContextManager[None]]) -> Actor:
    """The owner of Acme."""
    with transaction():
        return ensure_organization(name="Acme", owner_email="ada@example.com", password=PASSWORD)


@pytest.fixture
def globex(transaction: Callable[[], AbstractContextManager[None]]) -> Actor:
    """The owner of Globex."""
    with transaction():
        return ensure_organization(name="Globex", owner_email="grace@example.com", password=PASSWORD)


@pytest.fixture
def join(transaction: Callable[[], AbstractContextManager[None]]) -> Join:
    """Add a user with a role to the organization of an owner."""

    def join(owner: Actor, role: Role) -> Actor:
        with transaction():
            password_hash = generate_password_hash(PASSWORD, FAST_HASH)
            user = User(email=f"{role}@example.com", password_hash=password_hash)
            db.session.add(user)
            db.session.flush()
            db.session.add(Membership(user_id=user.id, organization_id=owner.organization_id, role=role))
            return Actor(user.id, owner.organization_id, role, user.email)

    return join


@pytest.fixture
def sign_in(app: APIFlask, connection: Connection) -> SignIn:
    """Create a client with a token of the actor, by default for every scope."""

    def sign_in(actor: Actor, *scopes: Scope) -> FlaskClient:
        client = app.test_client()
        form = {
            "username": actor.email,
            "password": PASSWORD,
            "scope": " ".join(scopes),
            "organization": str(actor.organization_id),
        }
        token = client.post("/api/v1/auth/token", data=form).get_json()["access_token"]
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        return client

    return sign_in


@pytest.fixture
def api(acme: Actor, sign_in: SignIn) -> FlaskClient:
    """A client with a token of Acme's owner."""
    return sign_in(acme)


@pytest.fixture
def live(settings: Settings, tmp_path: Path) -> Iterator[APIFlask]:
    """The application with a database of its own, in which commits are real."""
    with (
        empty_database(tmp_path, "live") as url,
        migrated(settings.model_copy(update={"database_url": url})) as app,
    ):
        yield app
