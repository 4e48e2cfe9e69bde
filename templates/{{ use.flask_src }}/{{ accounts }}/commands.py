"""`flask organizations` and `flask tokens`: who may use the API, and what other services use it with."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import click
from flask.cli import AppGroup

from ..extensions import db
from . import queries, services
from .contracts import Scope

MIN_PASSWORD_LENGTH = 12
SCOPE = click.Choice([each.value for each in Scope])

organizations = AppGroup("organizations", help="Organizations and their owners.")
tokens = AppGroup("tokens", help="Tokens of the API.")


def at_most(length: int) -> Callable[[click.Context, click.Parameter, str], str]:
    """What refuses text that is blank or does not fit into its column."""

    def check(_: click.Context, __: click.Parameter, value: str) -> str:
        if not value.strip() or len(value) > length:
            raise click.BadParameter(f"It must have 1 to {length} characters.")
        return value

    return check


@organizations.command("create")
@click.argument("name", callback=at_most(200))
@click.argument("owner", callback=at_most(254))
@click.password_option(help=f"For a new user; at least {MIN_PASSWORD_LENGTH} characters.")
def create_organization(name: str, owner: str, password: str) -> None:
    """Make the organization NAME with its OWNER, an e-mail address."""
    if len(password) < MIN_PASSWORD_LENGTH:
        raise click.ClickException(f"The password must have at least {MIN_PASSWORD_LENGTH} characters.")
    actor = services.ensure_organization(name=name, owner_email=owner, password=password)
    db.session.commit()
    click.echo(f"{actor.organization_id}  {name}, owned by {actor.email}")


@tokens.command()
@click.argument("email")
@click.argument("name", callback=at_most(100))
@click.option("--scope", "scopes", type=SCOPE, multiple=True, help="By default every scope.")
@click.option("--days", type=click.IntRange(1, 3650), default=90, show_default=True)
@click.option("--organization", type=UUID, help="By default the one that the user joined first.")
def create(email: str, name: str, scopes: tuple[str, ...], days: int, organization: UUID | None) -> None:
    """Make a token with which NAME acts for the user with EMAIL, and print it, this once."""
    user = queries.user_with(email)
    member = user and queries.member_of(user_id=user.id, organization_id=organization)
    if not member or not member.user.is_active:
        raise click.ClickException(f"Nobody with the address {email} is active in this organization or any.")
    asked = frozenset(map(Scope, scopes or Scope))
    granted = services.create_token(member, asked, name=name, lifetime=timedelta(days=days))
    db.session.commit()
    click.echo(granted.access_token)


@tokens.command("list")
def list_all() -> None:
    """List the tokens that are good, the newest first."""
    for token, email, organization in queries.tokens():
        until = f"until {token.expires_at:%Y-%m-%d %H:%M}"
        click.echo(f"{token.id}  {until}  {token.scope:<10}  {organization}, {email}: {token.name}")


@tokens.command()
@click.argument("token_id", type=UUID)
def revoke(token_id: UUID) -> None:
    """End the token with this id at once."""
    if not services.revoke(token_id):
        raise click.ClickException(f"There is no token with the id {token_id}.")
    db.session.commit()
    click.echo("revoked")
