"""The forms of the pages."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from .currencies import CURRENCIES, decimals
from .models import MAX_AMOUNT_CENTS, no_control_characters


class NewInvoiceForm(forms.Form):
    """Cleans an amount such as 1200.50 to `amount_cents`, in minor units of the currency."""

    # Submitting the form twice creates one invoice.
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)
    customer = forms.CharField(label=_("Customer"), max_length=200, validators=[no_control_characters])
    amount = forms.DecimalField(
        label=_("Amount"),
        help_text=_("Such as 1200.50"),
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )
    currency = forms.ChoiceField(
        label=_("Currency"), choices=[(code, code) for code in sorted(CURRENCIES)], initial="EUR"
    )

    def clean(self) -> dict[str, Any]:
        """Check that the amount has no more decimals than the currency."""
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
