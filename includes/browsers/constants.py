# A path of our own. Neither `//` nor a backslash begins one, and browsers drop control characters.
_LOCAL = re.compile(r"/(?!/)[!-\[\]-~]*")
# What people read instead of what Pydantic says.
_SENTENCES = {
    "missing": "Fill this in.",
    "string_too_short": "Fill this in.",
    "string_pattern_mismatch": "Fill this in.",
    "string_too_long": "This may have at most {max_length} characters.",
}
