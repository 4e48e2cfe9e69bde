"""What is read: sums that the database makes, one statement each."""

from ..billing import public as billing
from ..billing.public import RevenueByMonth, RevenueByStatus, Scope


def revenue_by_month(scope: Scope) -> list[RevenueByMonth]:
    """What was paid, per month and currency, the earliest month first."""
    return billing.revenue_by_month(scope)


def revenue_by_status(scope: Scope) -> list[RevenueByStatus]:
    """What was invoiced, per status and currency."""
    return billing.revenue_by_status(scope)
