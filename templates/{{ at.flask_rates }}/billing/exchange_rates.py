"""A client of an exchange rates API, Frankfurter's (https://frankfurter.dev)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated

import structlog
import urllib3
from pydantic import BaseModel, Field, ValidationError
from urllib3.exceptions import HTTPError, MaxRetryError, ReadTimeoutError

from ..core.problems import FieldError, Problem

TIMEOUT = urllib3.Timeout(connect=1, read=2)
RETRIES = urllib3.Retry(
    2,
    backoff_factor=0.1,
    status_forcelist=(502, 503, 504),
    raise_on_status=False,
    respect_retry_after_header=False,
)
MAX_BODY_BYTES = 64 * 1024

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)
_http = urllib3.PoolManager(maxsize=10, timeout=TIMEOUT, retries=RETRIES)


@dataclass(frozen=True, slots=True)
class Rate:
    """The exchange rate from one currency to another, and its date."""

    value: Decimal
    day: date


class _Latest(BaseModel):
    base: str
    date: date
    rates: dict[str, Annotated[Decimal, Field(gt=0, lt=10**9)]]


def get_rate(url: str, base: str, currency: str) -> Rate:
    """Return the latest rate.

    Raises:
        Problem: 422 if there is no such rate, 502 if the API fails, 504 if it takes too long.
    """
    if base == currency:
        return Rate(Decimal(1), datetime.now(UTC).date())
    try:
        response = _http.request(
            "GET",
            f"{url.rstrip('/')}/latest",
            fields={"base": base, "symbols": currency},
            redirect=False,
            preload_content=False,
        )
        with response:
            body = response.read(MAX_BODY_BYTES, decode_content=False)
    except HTTPError as error:
        reason = error.reason if isinstance(error, MaxRetryError) else error
        logger.warning("exchange_rates_failed", reason=str(error))
        if isinstance(reason, ReadTimeoutError):
            raise Problem(HTTPStatus.GATEWAY_TIMEOUT, "The exchange rates API took too long.") from error
        raise Problem(HTTPStatus.BAD_GATEWAY, "The exchange rates API cannot be reached.") from error
    try:
        latest = _Latest.model_validate_json(body) if response.status == HTTPStatus.OK else None
    except ValidationError:
        latest = None
    if response.status == HTTPStatus.NOT_FOUND or (latest and currency not in latest.rates):
        errors = [FieldError(pointer="query/currency", detail=f"There is no rate from {base} to {currency}.")]
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The request is not valid; see errors.", errors=errors)
    if latest is None or latest.base != base:
        logger.warning(
            "exchange_rates_failed", status=response.status, body=body[:200].decode(errors="replace")
        )
        raise Problem(HTTPStatus.BAD_GATEWAY, "The response of the exchange rates API cannot be used.")
    return Rate(latest.rates[currency], latest.date)
