

@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Argon2 is slow on purpose."""
    with pytest.MonkeyPatch.context() as patch:
        hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        patch.setattr(passwords, "_HASHER", hasher)
        patch.setattr(passwords, "_DUMMY", hasher.hash("dummy"))
        yield


@pytest.fixture
async def acme(session: AsyncSession) -> Actor:
    """The owner of Acme."""
    owner = await ensure_organization(session, name="Acme", owner_email="ada@example.com", password=PASSWORD)
    await session.commit()
    return owner


@pytest.fixture
async def globex(session: AsyncSession) -> Actor:
    """The owner of Globex."""
    owner = await ensure_organization(
        session, name="Globex", owner_email="grace@example.com", password=PASSWORD
    )
    await session.commit()
    return owner


@pytest.fixture
def join(session: AsyncSession) -> Join:
    """Create a user with a role in an owner's organization."""

    async def join(owner: Actor, role: Role) -> Actor:
        user = User(email=f"{role}@example.com", password_hash=await passwords.hash_password(PASSWORD))
        session.add(user)
        await session.flush()
        session.add(Membership(user_id=user.id, organization_id=owner.organization_id, role=role))
        await session.commit()
        return Actor(user_id=user.id, organization_id=owner.organization_id, role=role, email=user.email)

    return join


@pytest.fixture
def sign_in(session: AsyncSession, transport: ASGITransport, settings: Settings) -> SignIn:
    """Return a client with an access token of the actor, by default with all scopes."""

    async def sign_in(actor: Actor, *scopes: TokenScope) -> AsyncClient:
        member = await queries.get_member_of(
            session, user_id=actor.user_id, organization_id=actor.organization_id
        )
        assert member is not None
        claims = tokens.Claims(
            membership_id=member.membership_id,
            fingerprint=tokens.fingerprint(settings.secret_key, member.password_hash),
            scopes=frozenset(scopes or TokenScope),
        )
        token = tokens.issue(settings.secret_key, claims, lifetime=timedelta(minutes=5))
        headers = {"Authorization": f"Bearer {token}"}
        return AsyncClient(transport=transport, base_url="http://localhost", headers=headers)

    return sign_in


@pytest.fixture
async def api(acme: Actor, sign_in: SignIn) -> AsyncClient:
    """A client of Acme's owner."""
    return await sign_in(acme)


@pytest.fixture
def live_url(settings: Settings, tmp_path: Path) -> Iterator[str]:
    """A migrated database without rollback, for tests of concurrent requests."""
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite":
        # Nothing is ever committed to it.
        file = shutil.copy(str(url.database), tmp_path / "live.sqlite3")
        yield f"sqlite:///{Path(file).as_posix()}"
        return
    with migrated_database(tmp_path, "live") as config:
        yield config.attributes["database_url"]


@pytest.fixture
async def live(settings: Settings, live_url: str) -> AsyncIterator[AsyncClient]:
    """A client of Acme's owner; each request has its own connection and transaction."""
    app = create_app(settings.model_copy(update={"database_url": live_url}))
    async with app.router.lifespan_context(app) as started:
        assert started is not None

        async def with_state(scope: Scope, receive: Receive, send: Send) -> None:
            await app({**scope, "state": dict(started)}, receive, send)

        async with started["sessions"].begin() as session:
            await ensure_organization(session, name="Acme", owner_email="ada@example.com", password=PASSWORD)
        async with AsyncClient(transport=ASGITransport(with_state), base_url="http://localhost") as client:
            form = {"username": "ada@example.com", "password": PASSWORD}
            tokens = (await client.post("/api/v1/auth/token", data=form)).json()
            client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
            yield client
