@dataclass(frozen=True, slots=True)
class Sent(Generic[FormType]):
    """A submitted form: its raw values, its errors by field, and its data if it is valid."""

    values: Mapping[str, str]
    errors: Mapping[str, str]
    data: FormType | None
