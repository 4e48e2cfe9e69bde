"""Forms of the pages."""

import re
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, ValidationInfo, field_validator

from ..core.schemas import TrimmedText
from .currencies import decimals
from .models import MAX_AMOUNT_CENTS
from .schemas import Currency


class InvoiceForm(BaseModel):
    """A new invoice. `amount` is converted to the currency's minor unit."""

    # The idempotency key: a form that is sent twice creates one invoice.
    key: UUID
    customer: Annotated[TrimmedText, Field(max_length=200)]
    currency: Currency
    amount: int

    @field_validator("amount", mode="before")
    @classmethod
    def _in_minor_unit(cls, value: str, info: ValidationInfo) -> int:
        if not re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,9})?", value.strip()):
            raise ValueError("Write an amount such as 1200.50.")
        currency = info.data.get("currency", "")
        places = decimals(currency)
        amount = Decimal(value).scaleb(places)
        if amount != amount.to_integral_value():
            raise ValueError(f"{currency} has {places or 'no'} decimals.")
        if not 0 < amount <= MAX_AMOUNT_CENTS:
            raise ValueError(
                f"Write an amount above zero, up to {Decimal(MAX_AMOUNT_CENTS).scaleb(-places):f}."
            )
        return int(amount)
