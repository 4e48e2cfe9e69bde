@dataclass(frozen=True, slots=True)
class Sent(Generic[FormType]):
    """A form as it was sent: what it says if that is valid, else what is wrong, by the name of the field."""

    values: Mapping[str, str]
    errors: Mapping[str, str]
    data: FormType | None
