

@pytest.fixture
def outbox(monkeypatch: pytest.MonkeyPatch) -> list[EmailMessage]:
    """The mails that are sent."""
    sent: list[EmailMessage] = []
    monkeypatch.setattr(mail, "deliver", lambda _, __, message: sent.append(message))
    return sent


@pytest.fixture
def password() -> str:
    """The password of every user."""
    return PASSWORD
