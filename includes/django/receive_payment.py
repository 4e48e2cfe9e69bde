def _receive(request: HttpRequest) -> dict[str, bool]:
    secrets = [secret.get_secret_value() for secret in get_settings().webhook_secrets]
    try:
        webhook_id = webhooks.verify(secrets, request.headers, request.body, time())
    except webhooks.InvalidWebhookError as error:
        raise Problem(401, str(error), headers={"WWW-Authenticate": "Webhook-Signature"}) from error
    document = _parse(request.body)
    event_type = _validated(Event, document).type
    handled = event_type == services.PAYMENT_SUCCEEDED
    services.receive_payment_event(
        webhook_id=webhook_id,
        event_type=event_type,
        body=request.body.decode(),
        invoice_id=_validated(Payment, document).data.invoice_id if handled else None,
    )
    return {"accepted": True} if handled else {"ignored": True}


def _parse(body: bytes) -> object:
    try:
        # Numbers are not read: as floats they have no limit of digits.
        return json.loads(body.decode(), parse_int=float)
    except (ValueError, RecursionError) as error:
        raise _invalid([FieldError(pointer="#", detail="The body is not JSON.")]) from error


def _validated(model: type[Model], document: object) -> Model:
    try:
        return model.model_validate(document)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        errors = [FieldError(pointer=pointer(each["loc"]), detail=each["msg"]) for each in details]
        raise _invalid(errors) from None


def _invalid(errors: list[FieldError]) -> Problem:
    return Problem(422, "The request is not valid.", errors=errors)
