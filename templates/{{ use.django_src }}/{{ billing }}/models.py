"""Invoices and what is remembered to number them, to repeat answers and to count a payment once."""

from uuid import uuid4

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from .contracts import money
from .currencies import validate_currency

MAX_AMOUNT_CENTS = 10**12


class Invoice(models.Model):
    class Status(models.TextChoices):
        OPEN = "open"
        PAID = "paid"
        VOID = "void"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    # No index of its own: the unique constraint below begins with it.
    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    number = models.PositiveIntegerField(editable=False)
    customer = models.CharField(max_length=200)
    # In the currency's minor unit: cents of EUR, whole JPY, thousandths of BHD.
    amount_cents = models.BigIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(MAX_AMOUNT_CENTS)]
    )
    currency = models.CharField(max_length=3, validators=[validate_currency])
    status = models.CharField(max_length=4, choices=Status, default=Status.OPEN, editable=False)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        # Changed and deleted by nobody; `void_invoice` is for the action in the admin.
        default_permissions = ("add", "view")
        permissions = (("void_invoice", "Can void invoice"),)
        constraints = (
            models.UniqueConstraint(fields=("organization", "number"), name="invoice_number_is_unique"),
            models.CheckConstraint(condition=models.Q(amount_cents__gt=0), name="invoice_amount_is_positive"),
            models.CheckConstraint(
                condition=models.Q(status__in=("open", "paid", "void")), name="invoice_status_is_known"
            ),
        )
        indexes = (models.Index(fields=("organization", "status", "-number"), name="invoice_by_status"),)

    def __str__(self) -> str:
        return f"Invoice {self.number}: {money(self.amount_cents, self.currency)}"


class InvoiceCounter(models.Model):
    """The last number that an organization gave; its row is locked while the next one is given."""

    organization = models.OneToOneField(
        "accounts.Organization", on_delete=models.PROTECT, related_name="+", primary_key=True
    )
    last_number = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()


class IdempotencyKey(models.Model):
    """The first answer to a request that may be repeated."""

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    key = models.CharField(max_length=255)
    # SHA-256 of the request, in hexadecimal: the same key with another request is an error.
    fingerprint = models.CharField(max_length=64)
    body = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(fields=("organization", "key"), name="idempotency_key_is_unique"),
        )


class PaymentEvent(models.Model):
    """A webhook as it came, once per id. `invoice` is the one that it is about, if there is such a one."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    webhook_id = models.CharField(max_length=255, unique=True)
    type = models.CharField(max_length=100)
    body = models.TextField()
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.type} {self.webhook_id}"
