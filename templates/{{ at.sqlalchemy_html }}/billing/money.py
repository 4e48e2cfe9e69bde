"""Amounts as text."""

from decimal import Decimal

from .currencies import decimals


def money(amount_cents: int, currency: str) -> str:
    """Format an amount, such as `1,234.50 EUR` or `123,450 JPY`."""
    places = decimals(currency)
    return f"{Decimal(amount_cents).scaleb(-places):,.{places}f} {currency}"
