class InvitationIn(RequestBody):
    model_config = ConfigDict(json_schema_extra={"examples": [{"email": EMAIL, "role": "member"}]})

    email: Email
    role: Role


INVITATION: JsonDict = {
    "id": "5e2f1c7a-93b4-4d0e-8a6f-2b7c1d9e4f33",
    "email": EMAIL,
    "role": "member",
    "expires_at": "2026-02-07T12:00:00Z",
    "created_at": CREATED_AT,
}


class InvitationOut(BaseModel):
    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [INVITATION]})

    id: UUID
    email: str
    role: Role
    expires_at: datetime
    created_at: datetime


class InvitationsOut(BaseModel):
    """Oldest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [INVITATION]}]})

    items: list[InvitationOut]


class AcceptIn(RequestBody):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"token": "EXAMPLE", "password": "correct horse", "name": "Ada"}]}
    )

    token: Annotated[Text, Field(max_length=1024)]
    password: NewPassword
    name: Name = ""


class PasswordResetIn(RequestBody):
    model_config = ConfigDict(json_schema_extra={"examples": [{"email": EMAIL}]})

    email: Email


class PasswordResetConfirmIn(RequestBody):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"token": "EXAMPLE", "new_password": "battery staple"}]}
    )

    token: Annotated[Text, Field(max_length=1024)]
    new_password: NewPassword
