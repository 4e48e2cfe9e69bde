class Event(BaseModel):
    """The field of every event that is read; providers may add others."""

    type: str = Field(min_length=1, pattern=r"^[^\u0000]*$")


class PaymentData(BaseModel):
    invoice_id: UUID


class Payment(Event):
    data: PaymentData


Model = TypeVar("Model", bound=BaseModel)

BODY = {
    "title": "PaymentEvent",
    "type": "object",
    "required": ["type", "data"],
    "properties": {
        "type": {"type": "string"},
        "data": {
            "type": "object",
            "required": ["invoice_id"],
            "properties": {"invoice_id": {"type": "string", "format": "uuid"}},
        },
    },
    "examples": [
        {
            "type": services.PAYMENT_SUCCEEDED,
            "data": {"invoice_id": "0f0ad2f6-2f4a-4c0f-9b7e-6f1f3a1f2b11"},
        }
    ],
}
