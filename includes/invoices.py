EXAMPLE: JsonDict = {
    "id": "0f0ad2f6-2f4a-4c0f-9b7e-6f1f3a1f2b11",
    "number": 1,
    "customer": "Analytical Engines Ltd.",
    "amount_cents": 120050,
    "currency": "EUR",
    "status": "open",
    "created_at": "2026-01-31T12:00:00Z",
}
_NEW_EXAMPLE: JsonDict = {name: EXAMPLE[name] for name in ("customer", "amount_cents", "currency")}


def _iso_currency(currency: str) -> str:
    if currency not in CURRENCIES:
        raise ValueError("It must be an ISO 4217 currency code.")
    return currency


{% if framework == 'fastapi' %}
# As an alias it is a component of its own in the OpenAPI document.
Currency = typing_extensions.TypeAliasType(
    "Currency",
    Annotated[
        str, AfterValidator(_iso_currency), WithJsonSchema({"type": "string", "enum": sorted(CURRENCIES)})
    ],
)
{% else %}
Currency = Annotated[
    str, AfterValidator(_iso_currency), WithJsonSchema({"type": "string", "enum": sorted(CURRENCIES)})
]
{% endif %}


class InvoiceIn(RequestBody):
    model_config = ConfigDict(json_schema_extra={"examples": [_NEW_EXAMPLE]})

    customer: Annotated[TrimmedText, Field(max_length=200)]
    amount_cents: Annotated[
        int,
        Strict(),
        Field(ge=1, le=MAX_AMOUNT_CENTS, description="In the currency's minor unit."),
        WHOLE,
    ]
    currency: Currency


class InvoiceOut(BaseModel):
    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [EXAMPLE]})

    id: UUID
    number: Annotated[int, Field(ge=1)]
    customer: str
    amount_cents: Annotated[int, Field(ge=1)]
    currency: Currency
    status: InvoiceStatus
    created_at: datetime


