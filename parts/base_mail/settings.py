class MailSettings(CoreSettings):
    """The mail server, and the sender."""

    email_url: SecretStr | None = None
    email_from: str = "{{ project_slug }}@localhost"

    @field_validator("email_url")
    @classmethod
    def _mail_server(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None:
            if _in_production(info):
                raise ValueError("must be set in production, to the server that sends mail")
            return None
        # User and password are percent-encoded.
        pattern = r"smtp(s|\+tls)?://([^:@/?#\[\]\s]+:[^:@/?#\[\]\s]+@)?[\w.-]+(:(?P<port>[0-9]{1,5}))?/?"
        server = re.fullmatch(pattern, value.get_secret_value())
        if server is None or not 1 <= int(server["port"] or 1) <= 65535:  # noqa: PLR2004 (the largest port)
            raise ValueError(
                "must be smtp+tls://USER:PASSWORD@HOST:PORT, or the same with smtps:// or smtp://"
            )
        return value

    @field_validator("email_from")
    @classmethod
    def _sender_in_production(cls, value: str, info: ValidationInfo) -> str:
        if _in_production(info) and value.endswith("@localhost"):
            raise ValueError("must be set in production, to the address that mail comes from")
        return value


