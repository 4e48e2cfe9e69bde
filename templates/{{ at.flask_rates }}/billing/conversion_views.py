"""HTTP: the amount of an invoice in another currency."""

from datetime import date
from decimal import ROUND_HALF_EVEN, localcontext
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from apiflask import APIBlueprint
from flask import current_app
from pydantic import BaseModel, ConfigDict, Field

from ..accounts.public import Scope, auth, current_actor
from ..core.problems import Problem
from ..core.settings import Settings
from ..extensions import db
from . import queries
from .currencies import decimals
from .errors import InvoiceNotFoundError
from .exchange_rates import get_rate
from .schemas import EXAMPLE, Currency

# More digits than an amount and a rate have together, so that only the result is rounded.
PRECISION = 50

blueprint = APIBlueprint("conversions", __name__, tag="billing", url_prefix="/api/v1/invoices")


class ConversionQuery(BaseModel):
    currency: Currency


class ConversionOut(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "invoice_id": EXAMPLE["id"],
                    "amount_cents": 130326,
                    "currency": "USD",
                    "rate": "1.0856",
                    "rate_date": "2026-01-30",
                }
            ]
        }
    )

    invoice_id: UUID
    amount_cents: Annotated[int, Field(ge=0, description="In the minor unit of the new currency.")]
    currency: Currency
    rate: Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?$", description="A decimal number.")]
    rate_date: Annotated[date, Field(description="The day of the rate.")]


@blueprint.get("/<uuid:invoice_id>/converted")
@blueprint.auth_required(auth, roles=[Scope.READ])
@blueprint.input(ConversionQuery, location="query")
@blueprint.output(ConversionOut)
@blueprint.doc(
    operation_id="billing_convert_invoice",
    responses={
        404: "There is no such invoice, or no exchange rates are configured.",
        422: "The currency is unknown, or there is no rate.",
        502: "The exchange rates API failed.",
        504: "The exchange rates API took too long.",
    },
)
def convert_invoice(invoice_id: UUID, query_data: ConversionQuery) -> ConversionOut:
    """Return the amount of an invoice in another currency, at the latest rate."""
    settings: Settings = current_app.config["SETTINGS"]
    if settings.exchange_rates_url is None:
        raise Problem(HTTPStatus.NOT_FOUND, "Exchange rates are not configured here.")
    invoice = queries.get_invoice(current_actor().organization_id, invoice_id)
    if invoice is None:
        raise InvoiceNotFoundError
    # Hold no connection while the other service answers.
    db.session.commit()
    rate = get_rate(settings.exchange_rates_url, invoice.currency, query_data.currency)
    with localcontext(prec=PRECISION):
        shift = decimals(query_data.currency) - decimals(invoice.currency)
        amount = (invoice.amount_cents * rate.value).scaleb(shift).to_integral_value(ROUND_HALF_EVEN)
    return ConversionOut(
        invoice_id=invoice.id,
        amount_cents=int(amount),
        currency=query_data.currency,
        rate=f"{rate.value:f}",
        rate_date=rate.day,
    )
