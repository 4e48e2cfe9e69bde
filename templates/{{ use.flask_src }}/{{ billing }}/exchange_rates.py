"""Exchange rates, of a service that answers as https://frankfurter.dev does.

Whatever that service does, a caller soon gets an answer: a rate, or a problem that says why there is none.
"""

import socket
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from http import HTTPStatus
from http.client import HTTPResponse
from io import BufferedReader, RawIOBase
from math import ceil
from time import monotonic
from typing import Annotated, Any
from uuid import UUID

import structlog
import urllib3
from flask import current_app
from flask.blueprints import BlueprintSetupState
from pybreaker import CircuitBreaker, CircuitBreakerError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.exceptions import TimeoutError as TimedOutError

from ..core.database import THREADS
from ..core.problems import FieldError, Problem
from .contracts import InvoiceDetails
from .currencies import decimals

EXTENSION = "exchange_rates"
MAX_BODY_BYTES = 64 * 1024
# More than an amount and a rate have together, so that nothing is rounded but the result.
DIGITS = 50
MAX_REASON = 500
UNUSABLE = "gave no answer that can be used"

logger: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long is waited, how often is tried, and when no more, in seconds where it is time.

    `total` is for a call with all of its retries, which may only go on for another attempt to connect. After
    `failures` calls in a row that failed, there are none for `pause`.
    """

    connect: float = 1.0
    read: float = 2.0
    total: float = 4.0
    retries: int = 2
    backoff: float = 0.1
    failures: int = 5
    pause: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How many of one currency another is, and since when."""

    value: Decimal
    since: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """What an invoice amounts to in another currency, in that currency's minor unit."""

    invoice_id: UUID
    amount_cents: int
    currency: str
    rate: str
    rate_date: date


class ExchangeRates:
    """A client of the service at `url`, for all threads of a process."""

    def __init__(self, url: str, limits: Limits | None = None) -> None:
        limits = limits or Limits()
        self._limits = limits
        self._path = (urllib3.util.parse_url(url).path or "").rstrip("/")
        self._pool = urllib3.connection_from_url(
            url,
            maxsize=THREADS,
            timeout=urllib3.Timeout(connect=limits.connect, read=limits.read),
            retries=urllib3.Retry(
                limits.retries,
                status_forcelist=(500, 502, 503, 504),
                raise_on_status=False,
                respect_retry_after_header=False,
                backoff_factor=limits.backoff,
                backoff_jitter=limits.backoff,
            ),
        )
        self._pool.ConnectionCls = _TlsConnection if self._pool.scheme == "https" else _PlainConnection
        self._breaker = CircuitBreaker(
            fail_max=limits.failures,
            reset_timeout=limits.pause,
            exclude=[_is_the_callers],
            throw_new_error_on_trip=False,
        )

    def convert(self, invoice: InvoiceDetails, currency: str) -> Conversion:
        """What an invoice amounts to in `currency`, rounded half to even.

        Raises:
            Problem: 422 if there is no rate, 502 if the service failed, 504 if it took too long, 503 if it
                failed so often that it is left alone.
        """
        rate = self.rate(invoice.currency, currency)
        with localcontext(prec=DIGITS):
            shift = decimals(currency) - decimals(invoice.currency)
            amount = (invoice.amount_cents * rate.value).scaleb(shift)
            return Conversion(
                invoice_id=invoice.id,
                amount_cents=int(amount.to_integral_value(ROUND_HALF_EVEN)),
                currency=currency,
                rate=f"{rate.value:f}",
                rate_date=rate.since,
            )

    def rate(self, base: str, currency: str) -> Rate:
        """How many of `currency` one of `base` is; raises as `convert` does."""
        if base == currency:
            return Rate(value=Decimal(1), since=datetime.now(UTC).date())
        try:
            # Its `call` would hold a lock meanwhile, and so let one thread at a time ask.
            with self._breaker.calling():
                return self._ask(base, currency)
        except CircuitBreakerError as error:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "The exchange rates failed too often; try again later.",
                headers={"Retry-After": str(ceil(self._limits.pause))},
            ) from error

    def _ask(self, base: str, currency: str) -> Rate:
        _DEADLINE.set(monotonic() + self._limits.total)
        try:
            status, body = self._get({"base": base, "symbols": currency})
        except HTTPError as error:
            reason = getattr(error, "reason", error)
            timed_out = isinstance(reason, TimedOutError) and not isinstance(reason, NewConnectionError)
            if timed_out or isinstance(error, _OverError):
                raise _failed("took too long", error, HTTPStatus.GATEWAY_TIMEOUT) from error
            raise _failed("cannot be reached", error) from error
        if status == HTTPStatus.NOT_FOUND:
            raise _no_rate(base, currency)
        if status != HTTPStatus.OK or len(body) > MAX_BODY_BYTES:
            raise _failed(UNUSABLE, f"status {status}, {len(body)} bytes")
        try:
            latest = _Latest.model_validate_json(body)
        except ValidationError as error:
            raise _failed(UNUSABLE, error) from error
        if latest.base != base:
            raise _failed(UNUSABLE, f"the rates are those of {latest.base[:10]!r}")
        if currency not in latest.rates:
            raise _no_rate(base, currency)
        return Rate(value=latest.rates[currency], since=latest.since)

    def _get(self, query: dict[str, str]) -> tuple[int, bytes]:
        """The status, and the body or as much of it as shows that it is too large."""
        answer = self._pool.request(
            "GET", f"{self._path}/latest", fields=query, redirect=False, preload_content=False
        )
        try:
            # Whoever compresses what was not asked for sends nothing that can be read, and no bomb.
            return answer.status, answer.read(MAX_BODY_BYTES + 1, decode_content=False)
        finally:
            # A connection with nothing left to read is in the pool again by now, and stays open.
            answer.close()


def connect(state: BlueprintSetupState) -> None:
    """Give the application a client, if its settings say of what; tests put another one in its place."""
    url = state.app.config["SETTINGS"].exchange_rates_url
    state.app.extensions[EXTENSION] = ExchangeRates(str(url)) if url else None


def exchange_rates() -> ExchangeRates:
    """The client of the current application.

    Raises:
        Problem: 404, there is none.
    """
    client: ExchangeRates | None = current_app.extensions[EXTENSION]
    if client is None:
        raise Problem(HTTPStatus.NOT_FOUND, "Exchange rates are not configured here.")
    return client


class _Latest(BaseModel):
    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    base: str
    since: Annotated[date, Field(alias="date")]
    rates: dict[str, Annotated[Decimal, Field(gt=0, lt=10**9, max_digits=20)]]


# When the call of this thread is over, by the monotonic clock.
_DEADLINE: ContextVar[float] = ContextVar("deadline")


class _OverError(HTTPError):
    """No time is left for the call, and so for no other attempt."""


class _InTime(RawIOBase):
    """What a socket gives until the call is over.

    A timeout of the socket is for each read, so it does not end an answer that comes byte by byte.
    """

    def __init__(self, connection: socket.socket, stream: RawIOBase) -> None:
        self._connection = connection
        self._stream = stream
        self._timeout = connection.gettimeout()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int | None:  # type: ignore[override]  # as it is called
        left = _DEADLINE.get() - monotonic()
        if left <= 0:
            raise _OverError("There is no time left.")
        self._connection.settimeout(min(left, self._timeout or left))
        return self._stream.readinto(buffer)

    def close(self) -> None:
        self._stream.close()
        super().close()


class _Answer(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (http.client's)
        super().__init__(sock, *args, **kwargs)
        self.fp = BufferedReader(_InTime(sock, self.fp.detach()))


class _PlainConnection(HTTPConnection):
    response_class = _Answer


class _TlsConnection(HTTPSConnection):
    response_class = _Answer


def _is_the_callers(error: Any) -> bool:  # noqa: ANN401 (pybreaker's)
    return isinstance(error, Problem) and error.status < HTTPStatus.INTERNAL_SERVER_ERROR


def _failed(what: str, reason: object, status: HTTPStatus = HTTPStatus.BAD_GATEWAY) -> Problem:
    logger.warning("exchange_rates_failed", status=status.value, reason=str(reason)[:MAX_REASON])
    return Problem(status, f"The service with the exchange rates {what}.")


def _no_rate(base: str, currency: str) -> Problem:
    detail = f"There is no rate from {base} to {currency}."
    error = FieldError(pointer="#/currency", detail=detail)
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The request is not valid; see errors.", errors=[error])
