"""`flask seed`, which creates demo data, and `flask clear-idempotency-keys`."""

from datetime import UTC, datetime, timedelta

import click
from flask import Blueprint, current_app
from sqlalchemy import update

from ..accounts.public import Actor, ensure_organization, set_staff
from ..core.database_url import require_database
from ..core.settings import SAMPLE_SECRET, Settings
from ..extensions import db
from . import services
from .models import IdempotencyKey, Invoice

ORGANIZATIONS = {"Acme": "ada@example.com", "Globex": "grace@example.com"}
CUSTOMERS = ("Analytical Engines", "Difference & Sons", "Jacquard Looms", "Bernoulli Numbers")
PERIOD = timedelta(days=365)
MIN_PASSWORD_LENGTH = 12

blueprint = Blueprint("billing-commands", __name__, cli_group=None)


@blueprint.cli.command()
@click.option("--invoices", type=click.IntRange(0), default=20, show_default=True, help="Per organization.")
def seed(invoices: int) -> None:
    """Create the demo data that is missing, in one transaction."""
    password = _seed_password(current_app.config["SETTINGS"])
    require_database(current_app.config["SETTINGS"].database_url)
    for name, email in ORGANIZATIONS.items():
        owner = ensure_organization(name=name, owner_email=email, password=password)
        set_staff(owner.user_id, is_staff=True)
        created = [_ensure_invoice(owner, index, invoices) for index in range(invoices)]
        click.echo(f"{name}: {sum(created)} of {invoices} invoices created, owned by {email}")
    db.session.commit()
    place = f"http://127.0.0.1:{current_app.config['SETTINGS'].port}/docs"
    click.echo(f"Sign in at {place} as ada@example.com. The password is SEED_PASSWORD, in .env.")


@blueprint.cli.command()
@click.option("--days", type=click.IntRange(1), default=30, show_default=True, help="How long a key is kept.")
def clear_idempotency_keys(days: int) -> None:
    """Delete old idempotency keys. Run it daily."""
    deleted = services.delete_idempotency_keys(older_than=timedelta(days=days))
    db.session.commit()
    click.echo(f"{deleted} keys deleted")


def _seed_password(settings: Settings) -> str:
    if settings.production:
        raise click.ClickException("Demo data is not for production.")
    password = settings.seed_password.get_secret_value() if settings.seed_password else SAMPLE_SECRET
    if password == SAMPLE_SECRET:
        raise click.ClickException("Set SEED_PASSWORD, in .env or in the environment.")
    if len(password) < MIN_PASSWORD_LENGTH:
        raise click.ClickException(f"SEED_PASSWORD must have at least {MIN_PASSWORD_LENGTH} characters.")
    return password


def _ensure_invoice(owner: Actor, index: int, total: int) -> bool:
    """Create the invoice with this index, and return whether it was missing."""
    key = f"seed-{index}"
    if db.session.get(IdempotencyKey, (owner.organization_id, key)):
        return False
    invoice = services.create_invoice(
        actor=owner,
        customer=CUSTOMERS[index % len(CUSTOMERS)],
        amount_cents=(index * 7919 % 5000 + 1) * 100,
        currency=("EUR", "USD")[index % 3 == 0],
        idempotency_key=key,
    )
    created_at = datetime.now(UTC) - PERIOD * (total - index) / total
    db.session.execute(update(Invoice).where(Invoice.id == invoice.id).values(created_at=created_at))
    if index % 4 in {0, 1}:
        services.mark_paid(invoice.id)
    elif index % 4 == 2:  # noqa: PLR2004
        services.void_invoice(actor=owner, invoice_id=invoice.id)
    return True
