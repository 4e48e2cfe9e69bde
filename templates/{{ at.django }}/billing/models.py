"""Invoices, their numbering, and payment events."""

from uuid import uuid4

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from ..core.tenancy import TenantModel
from .contracts import money
from .currencies import validate_currency

MAX_AMOUNT_CENTS = 10**12

no_control_characters = RegexValidator(
    r"[\x00-\x1f\x7f-\x9f]", _("Control characters are not allowed."), inverse_match=True
)


class Invoice(TenantModel):
    class Status(models.TextChoices):
        OPEN = "open", _("Open")
        PAID = "paid", _("Paid")
        VOID = "void", _("Void")

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    number = models.PositiveIntegerField(_("number"), editable=False)
    customer = models.CharField(_("customer"), max_length=200, validators=[no_control_characters])
    # In minor units: cents of EUR, whole JPY, thousandths of BHD.
    amount_cents = models.BigIntegerField(
        _("amount in minor units"), validators=[MinValueValidator(1), MaxValueValidator(MAX_AMOUNT_CENTS)]
    )
    currency = models.CharField(_("currency"), max_length=3, validators=[validate_currency])
    status = models.CharField(_("status"), max_length=4, choices=Status, default=Status.OPEN, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True, db_index=True)

    class Meta:
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        # Invoices are never edited or deleted.
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
        return f"{self.number}: {money(self.amount_cents, self.currency)}"


class InvoiceCounter(models.Model):
    """The last number of a tenant's invoices; its row is locked while the next one is assigned."""

    organization = models.OneToOneField(
        "accounts.Organization", on_delete=models.PROTECT, related_name="+", primary_key=True
    )
    last_number = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()


class IdempotencyKey(models.Model):
    """The response to a request with an Idempotency-Key, returned again when the request is repeated."""

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey(
        "accounts.Organization", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    key = models.CharField(max_length=255)
    # SHA-256 of the request, in hexadecimal: the key must not be used for a different one.
    fingerprint = models.CharField(max_length=64)
    body = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(fields=("organization", "key"), name="idempotency_key_is_unique"),
        )


class PaymentEvent(models.Model):
    """A webhook of the payment provider, stored once per id."""

    class Status(models.TextChoices):
        PENDING = "pending", _("Pending, is retried")
        DONE = "done", _("Done")
        IGNORED = "ignored", _("Ignored, of a type that is not handled")
        PARKED = "parked", _("Parked, needs staff")

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    webhook_id = models.CharField(_("webhook id"), max_length=255, unique=True)
    type = models.CharField(_("type"), max_length=100)
    body = models.TextField(_("body"))
    # The id in the event, and the invoice once it is found.
    invoice_reference = models.UUIDField(_("invoice id"), null=True)
    invoice = models.ForeignKey(
        Invoice, verbose_name=_("invoice"), on_delete=models.PROTECT, null=True, related_name="+"
    )
    status = models.CharField(_("status"), max_length=7, choices=Status)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt at"), null=True)
    error = models.CharField(_("error"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True, db_index=True)

    class Meta:
        verbose_name = _("payment event")
        verbose_name_plural = _("payment events")
        default_permissions = ("view",)
        permissions = (("replay_paymentevent", "Can replay payment event"),)
        indexes = (models.Index(fields=("status", "next_attempt_at"), name="payment_event_is_due"),)

    def __str__(self) -> str:
        return f"{self.type} {self.webhook_id}"
