"""The forms of the pages."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

from django import forms

from .currencies import CURRENCIES, decimals
from .models import MAX_AMOUNT_CENTS, Invoice


class NewInvoiceForm(forms.Form):
    """Gives a valid amount in the currency's minor unit too, as `amount_cents`."""

    # A form that is sent twice makes one invoice.
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
    customer = forms.CharField(max_length=Invoice._meta.get_field("customer").max_length)  # noqa: SLF001
    amount = forms.DecimalField(
        help_text="Such as 1200.50",
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )
    currency = forms.ChoiceField(choices=[(code, code) for code in sorted(CURRENCIES)], initial="EUR")

    def clean(self) -> dict[str, Any]:
        """Accept an amount that there is in the currency."""
        values = super().clean() or {}
        if values.keys() >= {"amount", "currency"}:
            places = decimals(values["currency"])
            unit = Decimal(1).scaleb(-places)
            limits = forms.DecimalField(
                min_value=unit,
                max_value=MAX_AMOUNT_CENTS * unit,
                decimal_places=places,
                error_messages={"max_decimal_places": f"{values['currency']} has {places or 'no'} decimals."},
            )
            try:
                values["amount_cents"] = int(limits.clean(values["amount"]) / unit)
            except forms.ValidationError as error:
                self.add_error("amount", error)
        return values
