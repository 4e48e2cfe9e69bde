"""Demo data: two organizations with an owner and invoices each."""

from argparse import ArgumentParser
from datetime import timedelta

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from ....accounts.public import Actor, ensure_organization
from ....core.settings import SAMPLE_SECRET, get_settings
from ... import services
from ...models import Invoice

ORGANIZATIONS = {"Acme": "ada@example.com", "Globex": "grace@example.com"}
# The owners' permissions in the admin, within their own organization.
STAFF_PERMISSIONS = (
    "accounts.change_organization",
    "accounts.view_auditentry",
    "accounts.view_organization",
    "accounts.view_user",
    "billing.add_invoice",
    "billing.replay_paymentevent",
    "billing.view_invoice",
    "billing.view_paymentevent",
    "billing.void_invoice",
)
CUSTOMERS = ("Analytical Engines", "Difference & Sons", "Jacquard Looms", "Bernoulli Numbers")
PERIOD = timedelta(days=365)


class Command(BaseCommand):
    help = "Create demo data once; SEED_PASSWORD becomes the owners' password."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--invoices", type=int, default=20, help="per organization (default: 20)")

    @transaction.atomic
    def handle(self, *_args: object, invoices: int, **_options: object) -> None:
        """Create the demo data that is missing.

        Raises:
            CommandError: in production, or without a usable SEED_PASSWORD.
        """
        password = _password()
        for name, email in ORGANIZATIONS.items():
            owner = ensure_organization(
                name=name, owner_email=email, password=password, staff_permissions=STAFF_PERMISSIONS
            )
            created = sum(_ensure_invoice(owner, index, invoices) for index in range(invoices))
            self.stdout.write(f"{name}: {created} of {invoices} invoices created, owned by {email}")
        place = f"http://127.0.0.1:{get_settings().port}/admin/"
        self.stdout.write(f"Sign in at {place} as ada@example.com. The password is SEED_PASSWORD, in .env.")


def _password() -> str:
    settings = get_settings()
    if settings.production:
        raise CommandError("Demo data is not for production.")
    password = settings.seed_password.get_secret_value() if settings.seed_password else SAMPLE_SECRET
    if password == SAMPLE_SECRET:
        raise CommandError("Set SEED_PASSWORD, in .env or in the environment.")
    try:
        validate_password(password)
    except ValidationError as error:
        raise CommandError(f"SEED_PASSWORD cannot be used. {' '.join(error.messages)}") from error
    return password


def _ensure_invoice(owner: Actor, index: int, total: int) -> bool:
    """Create the invoice with this index, unless it exists; of four, two are paid and one is void."""
    created = services.create_invoice(
        actor=owner,
        customer=CUSTOMERS[index % len(CUSTOMERS)],
        amount_cents=(index * 7919 % 5000 + 1) * 100,
        currency=("EUR", "USD")[index % 3 == 0],
        idempotency_key=f"seed-{index}",
    )
    if created.replayed:
        return False
    invoice_id = created.invoice.id
    # Spread over a year, for the reports.
    created_at = timezone.now() - PERIOD * (total - index) / total
    Invoice.objects.filter(id=invoice_id).update(created_at=created_at)
    if index % 4 in {0, 1}:
        services.receive_payment_event(
            webhook_id=f"seed-{invoice_id}",
            event_type=services.PAYMENT_SUCCEEDED,
            body=f'{{"type": "payment.succeeded", "data": {{"invoice_id": "{invoice_id}"}}}}',
            invoice_id=invoice_id,
        )
    elif index % 4 == 2:  # noqa: PLR2004
        services.void_invoice(actor=owner, invoice_id=invoice_id)
    return True
