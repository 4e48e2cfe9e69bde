"""`flask staff`: give and revoke access to the admin."""

from uuid import UUID

import click
from flask import Blueprint

from ..extensions import db
from . import queries, services
from .addresses import normalize_email
from .commands import require_length

MIN_PASSWORD_LENGTH = 12

staff = Blueprint("accounts-staff", __name__, cli_group="staff")
staff.cli.help = "Users with access to the admin."


@staff.cli.command()
@click.argument("email")
@click.argument("organization", default="")
def create(email: str, organization: str) -> None:
    """Add the user with EMAIL to the staff; a new user gets a password and owns a new ORGANIZATION."""
    user = queries.user_with(email)
    user_id = user.id if user else _new_owner(email, organization.strip())
    services.set_staff(user_id, is_staff=True)
    db.session.commit()
    click.echo(f"{normalize_email(email)} is on the staff.")


@staff.cli.command()
@click.argument("email")
def revoke(email: str) -> None:
    """Remove the user with EMAIL from the staff."""
    user = queries.user_with(email)
    if user is None:
        raise click.ClickException("Nobody has this address.")
    services.set_staff(user.id, is_staff=False)
    db.session.commit()
    click.echo(f"{normalize_email(email)} is no longer on the staff.")


def _new_owner(email: str, organization: str) -> UUID:
    if not ("@" in email and organization):
        raise click.ClickException(
            "Nobody has this address. To create a user, add the name of an organization."
        )
    # Hold no transaction while a password is typed.
    db.session.rollback()
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    require_length(password, MIN_PASSWORD_LENGTH)
    return services.ensure_organization(name=organization, owner_email=email, password=password).user_id
