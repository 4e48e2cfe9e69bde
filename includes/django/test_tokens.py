@pytest.fixture
def client(settings: LazySettings) -> Client:
    """A client of the project and of the view above."""
    settings.ROOT_URLCONF = sys.modules[__name__]
    return Client()


@pytest.fixture
def token(ada: User) -> str:
    """Ada's."""
    return tokens.issue(Membership.objects.get(user=ada))


def ask(client: Client, **form: str) -> "TestResponse":
    return client.post(PATH, urlencode(form), FORM)


def call(client: Client, authorization: str) -> "TestResponse":
    return client.get("/api/v1/whoami", headers={"Authorization": authorization})


def assert_problem(answer: "TestResponse", status: int) -> dict[str, Any]:
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    document: dict[str, Any] = answer.json()
    return document


def test_token_for_password(client: Client, ada: User, acme: Organization, password: str) -> None:
    answer = ask(client, grant_type="password", username="Ada@example.com", password=password, scope="")
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    document = answer.json()
    assert (document["token_type"], document["expires_in"]) == ("bearer", 3600)
    assert call(client, f"Bearer {document['access_token']}").json() == {
        "email": "ada@example.com",
        "organization": str(acme.id),
        "role": "owner",
        "logged": str(ada.id),
    }
    ada.refresh_from_db()
    assert ada.last_login
    assert not client.cookies


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize(
    "wrong", [{"password": "wrong"}, {"username": "nobody@example.com"}, {"username": "ada"}]
)
def test_wrong_credentials_are_rejected(client: Client, password: str, wrong: dict[str, str]) -> None:
    answer = ask(client, **{"username": "ada@example.com", "password": password, **wrong})
    problem = assert_problem(answer, 401)
    assert problem["detail"] == "The e-mail address or the password is wrong."
    assert answer["WWW-Authenticate"] == "Bearer"


def test_inactive_user_gets_no_token(client: Client, ada: User, password: str) -> None:
    ada.is_active = False
    ada.save()
    assert_problem(ask(client, username=ada.email, password=password), 401)


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize(
    "username", ["ada@example.com", "nobody@example.com", "inactive@example.com", "passwordless@example.com"]
)
def test_every_failure_hashes_once(client: Client, username: str, password: str) -> None:
    User.objects.create_user("passwordless@example.com")
    User.objects.create_user("inactive@example.com", password)
    User.objects.filter(email="inactive@example.com").update(is_active=False)
    encode = MD5PasswordHasher.encode
    with patch.object(MD5PasswordHasher, "encode", autospec=True, side_effect=encode) as hashed:
        assert_problem(ask(client, username=username, password="wrong"), 401)
    hashed.assert_called_once()


def test_token_is_for_oldest_membership_unless_named(
    client: Client, ada: User, acme: Organization, globex: Organization, password: str
) -> None:
    Membership.objects.create(user=ada, organization=globex, role="viewer")
    for form, organization in (({}, acme), ({"organization": str(globex.id)}, globex)):
        answer = ask(client, username=ada.email, password=password, **form)
        who = call(client, f"Bearer {answer.json()['access_token']}").json()
        assert who["organization"] == str(organization.id)


def test_no_token_without_membership(
    client: Client, ada: User, root: User, globex: Organization, password: str
) -> None:
    foreign = ask(client, username=ada.email, password=password, organization=str(globex.id))
    assert_problem(foreign, 403)
    assert_problem(ask(client, username=root.email, password=password), 403)


@pytest.mark.parametrize(
    ("form", "pointers"),
    [
        ({}, {"#/username", "#/password"}),
        ({"username": "ada\0", "password": "x"}, {"#/username"}),
        ({"username": "a" * 255, "password": "x"}, {"#/username"}),
        ({"username": "ada", "password": "x" * 1025}, {"#/password"}),
        ({"username": "ada", "password": "x", "grant_type": "implicit"}, {"#/grant_type"}),
        ({"username": "ada", "password": "x", "organization": "acme"}, {"#/organization"}),
    ],
)
@pytest.mark.django_db
def test_invalid_form_is_rejected(client: Client, form: dict[str, str], pointers: set[str]) -> None:
    problem = assert_problem(ask(client, **form), 422)
    assert {error["pointer"] for error in problem["errors"]} == pointers


@pytest.mark.django_db
def test_other_body_is_rejected(client: Client) -> None:
    assert_problem(client.post(PATH, "&".join(["a=1"] * 1001), FORM), 400)
    assert_problem(client.generic("POST", PATH, b"username=%ff\xff&password=%00", FORM), 422)
    assert_problem(client.generic("POST", PATH, b"username=ada", f"{FORM}; charset=base64"), 400)
    assert_problem(client.get(PATH), 405)


def test_token_takes_one_query(token: str, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        membership = tokens.verify(token)
        assert membership is not None
        membership.actor()


def test_expired_token_is_rejected(client: Client, token: str) -> None:
    for later, status in ((timedelta(minutes=59), 200), (timedelta(minutes=61), 401)):
        with patch.object(signing, "time") as clock:
            clock.time.return_value = time() + later.total_seconds()
            assert call(client, f"Bearer {token}").status_code == status


@pytest.mark.django_db
@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic YWRhOnNlY3JldA==",
        "Bearer forged",
        "Bearer a:b:c",
        "Bearer a b",
        "Bearer \u00e9:\u00e9:\u00e9",
        f"Bearer {signing.dumps(['0' * 32, '0' * 16], salt='another')}",
        f"Bearer {signing.dumps(['0' * 32, '0' * 16], salt='accounts.tokens', key='another')}",
        f"Bearer {signing.dumps(['0' * 32, '0' * 16], salt='accounts.tokens')}",
    ],
)
def test_missing_or_forged_token_is_rejected(client: Client, authorization: str) -> None:
    answer = call(client, authorization)
    assert_problem(answer, 401)
    sent = authorization.startswith("Bearer")
    assert answer["WWW-Authenticate"] == ('Bearer error="invalid_token"' if sent else "Bearer")


def test_altered_token_is_rejected(client: Client, token: str) -> None:
    for place in range(len(token)):
        altered = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        assert tokens.verify(altered) is None
    assert_problem(call(client, f"Bearer {token}x"), 401)
    assert call(client, f"bearer  {token}").status_code == 200


def test_new_password_ends_token(client: Client, ada: User, token: str) -> None:
    ada.set_password("another horse battery")
    ada.save()
    assert_problem(call(client, f"Bearer {token}"), 401)


def test_new_secret_key_ends_token(client: Client, token: str, settings: LazySettings) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"
    assert_problem(call(client, f"Bearer {token}"), 401)


def test_deactivated_user_ends_token(client: Client, token: str) -> None:
    User.objects.update(is_active=False)
    assert_problem(call(client, f"Bearer {token}"), 401)


def test_ended_membership_ends_token(client: Client, token: str) -> None:
    Membership.objects.all().delete()
    assert_problem(call(client, f"Bearer {token}"), 401)


def test_openapi_document_describes_sign_in(client: Client) -> None:
    contract = client.get("/openapi.json").json()
    (scheme,) = contract["components"]["securitySchemes"].values()
    assert scheme["flows"]["password"]["tokenUrl"] == PATH
    operation = contract["paths"][PATH]["post"]
    assert set(operation["requestBody"]["content"]) == {FORM}
    assert "security" not in operation


def test_actor_needs_token() -> None:
    with pytest.raises(Problem) as refusal:
        public.actor_of(HttpRequest())
    assert (refusal.value.status, refusal.value.headers) == (401, {"WWW-Authenticate": "Bearer"})
