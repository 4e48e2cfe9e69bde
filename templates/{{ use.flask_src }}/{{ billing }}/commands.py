"""`flask seed`: demo data, two organizations with an owner and invoices each. And what a timer runs."""

from datetime import UTC, datetime, timedelta

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import update

from ..accounts.public import Actor, ensure_organization
from ..core.settings import SAMPLE_SECRET, Settings
from ..extensions import db
from . import services
from .models import IdempotencyKey, Invoice

ORGANIZATIONS = {"Acme": "ada@example.com", "Globex": "grace@example.com"}
CUSTOMERS = ("Analytical Engines", "Difference & Sons", "Jacquard Looms", "Bernoulli Numbers")
PERIOD = timedelta(days=365)
MIN_PASSWORD_LENGTH = 12


@click.command()
@click.option("--invoices", type=click.IntRange(0), default=20, show_default=True, help="Per organization.")
@with_appcontext
def seed(invoices: int) -> None:
    """Create demo data that is not there yet, all of it or nothing."""
    password = _usable_password(current_app.config["SETTINGS"])
    for name, email in ORGANIZATIONS.items():
        owner = ensure_organization(name=name, owner_email=email, password=password)
        created = [_ensure_invoice(owner, index, invoices) for index in range(invoices)]
        click.echo(f"{name}: {sum(created)} of {invoices} invoices created, owned by {email}")
    db.session.commit()


@click.command()
@click.option("--days", type=click.IntRange(1), default=30, show_default=True, help="How long a key is kept.")
@with_appcontext
def clear_idempotency_keys(days: int) -> None:
    """Forget old idempotency keys, whose table grows with every invoice. For a daily timer."""
    deleted = services.forget_answers(older_than=timedelta(days=days))
    db.session.commit()
    click.echo(f"{deleted} keys deleted")


def _usable_password(settings: Settings) -> str:
    if settings.production:
        raise click.ClickException("Demo data is not for production.")
    password = settings.seed_password.get_secret_value() if settings.seed_password else SAMPLE_SECRET
    if password == SAMPLE_SECRET:
        raise click.ClickException("Set SEED_PASSWORD, in .env or in the environment.")
    if len(password) < MIN_PASSWORD_LENGTH:
        raise click.ClickException(f"SEED_PASSWORD must have at least {MIN_PASSWORD_LENGTH} characters.")
    return password


def _ensure_invoice(owner: Actor, index: int, total: int) -> bool:
    """Whether there was not yet one with this index; two of four are paid, one is void."""
    key = f"seed-{index}"
    if db.session.get(IdempotencyKey, (owner.organization_id, key)):
        return False
    invoice = services.create(
        actor=owner,
        customer=CUSTOMERS[index % len(CUSTOMERS)],
        amount_cents=(index * 7919 % 5000 + 1) * 100,
        currency=("EUR", "USD")[index % 3 == 0],
        idempotency_key=key,
    )
    created_at = datetime.now(UTC) - PERIOD * (total - index) / total
    db.session.execute(update(Invoice).where(Invoice.id == invoice.id).values(created_at=created_at))
    if index % 4 in {0, 1}:
        services.mark_paid(invoice.id, event="seed")
    elif index % 4 == 2:  # noqa: PLR2004
        services.void(actor=owner, invoice_id=invoice.id)
    return True
