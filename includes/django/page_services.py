@transaction.atomic
def sign_up(*, email: str, password: str, organization: str) -> User:
    """Create a user who owns a new organization.

    Raises:
        ValidationError: another user has this address.
    """
    with _unless_taken():
        user = User.objects.create_user(email, password)
    founded = Organization.objects.create(name=organization)
    membership = Membership.objects.create(user=user, organization=founded, role=Role.OWNER.value)
    record(
        organization_id=founded.id,
        action="organization.created",
        target="organization",
        target_id=founded.id,
        actor=membership.actor(),
        changes={"name": organization, "owner": user.email},
    )
    return user


@transaction.atomic
def change_email(*, user: User, email: str) -> None:
    """Change the address that the user signs in with.

    Raises:
        ValidationError: another user has it.
    """
    before, after = user.email, User.normalize_username(email)
    with _unless_taken():
        User.objects.filter(id=user.id).update(email=after)
    user.email = after
    _record_user(user, {"email": [before, after]})


@transaction.atomic
def change_password(*, user: User, password: str) -> None:
    """Change the password; other sessions and all tokens end."""
    user.set_password(password)
    user.save(update_fields=["password"])
    _record_user(user, {"fields": ["password"]})


@contextmanager
def _unless_taken() -> Iterator[None]:
    try:
        # The constraint rejects one of two concurrent requests.
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise ValidationError({"email": _("Another user has this address.")}) from error


def _record_user(user: User, changes: Mapping[str, object]) -> None:
    for membership in user.memberships.select_related("user"):
        record(
            organization_id=membership.organization_id,
            action="user.changed",
            target="user",
            target_id=user.id,
            actor=membership.actor(),
            changes=changes,
        )
