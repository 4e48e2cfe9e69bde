# User and password are percent-encoded.
MAIL_SERVER = r"smtp(s|\+tls)?://([^:@/?#\[\]\s]+:[^:@/?#\[\]\s]+@)?[\w.-]+(:(?!0)\d{1,4}|:[1-6]\d{4})?/?"


class MailSettings(CoreSettings):
    """The mail server, the sender, what links in mails start with, and how long an invitation is valid."""

    email_url: SecretStr | None = None
    email_from: str = "{{ project_slug }}@localhost"
    public_url: str = "http://127.0.0.1:8000"
    invitation_days: int = Field(default=7, ge=1)

    @field_validator("email_url", "email_from", "public_url")
    @classmethod
    def _check_mail(cls, value: Any, info: ValidationInfo) -> Any:  # noqa: ANN401 (of several fields)
        if _in_production(info) and value == cls.model_fields[str(info.field_name)].default:
            raise ValueError("must be set in production, for the mail that is sent")
        if isinstance(value, SecretStr) and not re.fullmatch(MAIL_SERVER, value.get_secret_value()):
            raise ValueError("must be smtp+tls://USER:PASSWORD@HOST:PORT, or with smtps:// or smtp://")
        if info.field_name == "public_url" and not re.fullmatch(ORIGIN[0] + ROOT_PATH[0], value):
            raise ValueError("must be an address such as https://app.example.com")
        return value


