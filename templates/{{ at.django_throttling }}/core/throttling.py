"""The rate limit of failed sign-ins per client, besides django-axes' own per address and client."""

from datetime import datetime
from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Sum
from django.http import HttpRequest


class SignInHandler(AxesDatabaseHandler):  # type: ignore[misc]  # axes has no types
    """Refuses a client after SIGN_IN_FAILURES_PER_CLIENT failures over all addresses."""

    def is_locked(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        if super().is_locked(request, credentials):
            return True
        since: datetime = get_cool_off_threshold(request)
        client = request.axes_ip_address  # type: ignore[attr-defined]
        attempts = AccessAttempt.objects.filter(ip_address=client, attempt_time__gte=since)
        failures: int = attempts.aggregate(sum=Sum("failures_since_start"))["sum"] or 0
        limit: int = settings.SIGN_IN_FAILURES_PER_CLIENT
        return failures >= limit
