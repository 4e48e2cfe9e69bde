"""`flask create-owner`, `organizations` and `tokens`: tenants with their owners, and tokens for services."""

import os
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import cast
from uuid import UUID

import click
from apiflask import APIFlask
from flask import Blueprint, current_app
from pydantic import TypeAdapter, ValidationError

from ..core.settings import Settings
from ..extensions import db
from . import passwords, queries, services
from .addresses import Email
from .contracts import Scope

SCOPE = click.Choice([each.value for each in Scope])

owners = Blueprint("accounts-owners", __name__, cli_group=None)
organizations = Blueprint("accounts-organizations", __name__, cli_group="organizations")
organizations.cli.help = "Organizations and their owners."
tokens = Blueprint("accounts-tokens", __name__, cli_group="tokens")
tokens.cli.help = "API tokens."


def at_most(length: int) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    """Return a click callback that rejects blank text and text longer than its column."""

    def check(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
        if value is not None and (not value.strip() or len(value) > length):
            raise click.BadParameter(f"It must have 1 to {length} characters.")
        return value

    return check


def address(_: click.Context, __: click.Parameter, value: str) -> str:
    """Return an e-mail address as it is stored; a click callback.

    Raises:
        ClickException: it is none.
    """
    try:
        return TypeAdapter(Email).validate_python(value)
    except ValidationError:
        raise click.ClickException(f"{value} is not an e-mail address.") from None


@owners.cli.command()
@click.argument("email", callback=address)
@click.option("--organization", callback=at_most(200), help="By default the project's name.")
def create_owner(email: str, organization: str | None) -> None:
    """Create the user with EMAIL, who owns an organization.

    The password is OWNER_PASSWORD in the environment, or typed. A user who exists keeps theirs.
    """
    name = organization or cast("APIFlask", current_app).title
    is_known = queries.user_with(email) is not None
    # Hold no transaction while a password is typed.
    db.session.rollback()
    password = "" if is_known else _owner_password()
    actor = services.ensure_organization(name=name, owner_email=email, password=password)
    db.session.commit()
    kept = ", with the password that they have" if is_known else ""
    settings: Settings = current_app.config["SETTINGS"]
    page = "/sign-in" if "START_PAGE" in current_app.config else "/docs"
    place = f"http://{settings.host}:{settings.port}{settings.root_path}{page}"
    click.echo(f"{actor.email} is an owner of {name}{kept}. Sign in at {place}")


@organizations.cli.command("create")
@click.argument("name", callback=at_most(200))
@click.argument("owner", callback=address)
@click.password_option(help=f"For a new user; at least {passwords.MIN_LENGTH} characters.")
def create_organization(name: str, owner: str, password: str) -> None:
    """Create the organization NAME with its OWNER, an e-mail address."""
    require_length(password)
    actor = services.ensure_organization(name=name, owner_email=owner, password=password)
    db.session.commit()
    click.echo(f"{actor.organization_id}  {name}, owned by {actor.email}")


@tokens.cli.command()
@click.argument("email")
@click.argument("name", callback=at_most(100))
@click.option("--scope", "scopes", type=SCOPE, multiple=True, help="By default every scope.")
@click.option("--days", type=click.IntRange(1, 3650), default=90, show_default=True)
@click.option("--organization", type=UUID, help="By default the one that the user joined first.")
def create(email: str, name: str, scopes: tuple[str, ...], days: int, organization: UUID | None) -> None:
    """Create a token called NAME for the user with EMAIL, and print it once."""
    user = queries.user_with(email)
    member = user and queries.member_of(user_id=user.id, organization_id=organization)
    if not member or not member.user.is_active:
        raise click.ClickException(
            f"No active user with the address {email} is in this organization, or in any."
        )
    asked = frozenset(map(Scope, scopes or Scope))
    issued = services.create_token(member, asked, name=name, lifetime=timedelta(days=days))
    db.session.commit()
    click.echo(issued.access_token)


@tokens.cli.command("list")
def list_all() -> None:
    """List the tokens in force, newest first."""
    for token, email, organization in queries.tokens():
        until = f"until {token.expires_at:%Y-%m-%d %H:%M}"
        click.echo(f"{token.id}  {until}  {token.scope:<10}  {organization}, {email}: {token.name}")


@tokens.cli.command()
@click.argument("token_id", type=UUID)
def revoke(token_id: UUID) -> None:
    """Revoke the token with this id."""
    if not services.revoke_token(token_id):
        raise click.ClickException(f"There is no token with the id {token_id}.")
    db.session.commit()
    click.echo("revoked")


def require_length(password: str, least: int = passwords.MIN_LENGTH) -> None:
    """Reject a password that is too short.

    Raises:
        ClickException: it is.
    """
    if len(password) < least:
        raise click.ClickException(f"A password must have at least {least} characters.")


def _owner_password() -> str:
    password = os.environ.get("OWNER_PASSWORD", "")
    if not password:
        if not sys.stdin.isatty():
            raise click.ClickException(
                "Set OWNER_PASSWORD to the password of the new user, or run this on a terminal."
            )
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    require_length(password)
    return password
