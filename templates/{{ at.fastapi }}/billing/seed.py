"""Create demo data: two organizations, each with an owner and invoices. `just seed` runs it."""

import argparse
import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from ..accounts.public import Actor, ensure_organization, set_staff
from ..core.database import Sessions, create_engine, session_factory
from ..core.database_url import require_database
from ..core.settings import SAMPLE_SECRET, Settings, get_settings
from . import services
from .models import IdempotencyKey, Invoice

ORGANIZATIONS = {"Acme": "ada@example.com", "Globex": "grace@example.com"}
CUSTOMERS = ("Analytical Engines", "Difference & Sons", "Jacquard Looms", "Bernoulli Numbers")
PERIOD = timedelta(days=365)
MIN_PASSWORD_LENGTH = 12


def usable_password(settings: Settings) -> str:
    """Return the password of the demo users.

    Raises:
        SystemExit: it is missing or too short, or this is production.
    """
    if settings.production:
        raise SystemExit("Demo data is not for production.")
    password = settings.seed_password.get_secret_value() if settings.seed_password else SAMPLE_SECRET
    if password == SAMPLE_SECRET:
        raise SystemExit("Set SEED_PASSWORD, in .env or in the environment.")
    if len(password) < MIN_PASSWORD_LENGTH:
        raise SystemExit(f"SEED_PASSWORD must have at least {MIN_PASSWORD_LENGTH} characters.")
    return password


async def seed(sessions: Sessions, *, password: str, invoices: int) -> None:
    """Create what is missing, in one transaction."""
    async with sessions.begin() as session:
        for name, email in ORGANIZATIONS.items():
            owner = await ensure_organization(session, name=name, owner_email=email, password=password)
            # For the admin, where there is one.
            await set_staff(session, owner.user_id, is_staff=True)
            created = [await _ensure_invoice(session, owner, index, invoices) for index in range(invoices)]
            print(f"{name}: {sum(created)} of {invoices} invoices created, owned by {email}")


async def _ensure_invoice(session: AsyncSession, owner: Actor, index: int, total: int) -> bool:
    """Create an invoice unless it exists; return whether it did not. Two of four are paid, one is void."""
    key = f"seed-{index}"
    if await session.get(IdempotencyKey, (owner.organization_id, key)):
        return False
    invoice = await services.create_invoice(
        session,
        actor=owner,
        customer=CUSTOMERS[index % len(CUSTOMERS)],
        amount_cents=(index * 7919 % 5000 + 1) * 100,
        currency=("EUR", "USD")[index % 3 == 0],
        idempotency_key=key,
    )
    created_at = datetime.now(UTC) - PERIOD * (total - index) / total
    await session.execute(update(Invoice).where(Invoice.id == invoice.id).values(created_at=created_at))
    if index % 4 in {0, 1}:
        await services.mark_paid(session, invoice_id=invoice.id)
    elif index % 4 == 2:  # noqa: PLR2004
        await services.void_invoice(session, actor=owner, invoice_id=invoice.id)
    return True


async def run(settings: Settings, *, password: str, invoices: int) -> None:
    engine = create_engine(settings)
    try:
        await seed(session_factory(engine), password=password, invoices=invoices)
    finally:
        await engine.dispose()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="just seed", description=__doc__)
    parser.add_argument("--invoices", type=int, default=20, help="per organization (default: 20)")
    invoices: int = parser.parse_args(arguments).invoices
    settings = get_settings()
    password = usable_password(settings)
    require_database(settings.database_url)
    asyncio.run(run(settings, password=password, invoices=invoices))
    place = f"http://127.0.0.1:{settings.port}/docs"
    print(f"Sign in at {place} as ada@example.com. The password is SEED_PASSWORD, in .env.")


if __name__ == "__main__":
    main()
