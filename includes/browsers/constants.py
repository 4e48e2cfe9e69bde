# A path on this site. Browsers read `//` and a backslash as another host, and drop control characters.
_LOCAL = re.compile(r"/(?!/)[!-\[\]-~]*")
# Messages for people, by Pydantic's error type.
_SENTENCES = {
    "missing": "Fill this in.",
    "string_too_short": "Fill this in.",
    "string_pattern_mismatch": "Fill this in.",
    "string_too_long": "This may have at most {max_length} characters.",
}
