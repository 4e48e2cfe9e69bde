"""The expected framework for each combination of guided answers, written by hand."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

Answers = Mapping[str, Any]

# The guided questions in the order they are asked, with every answer.
GUIDED: dict[str, tuple[Any, ...]] = {
    "shape": ("api", "product", "integration"),
    "workload": ("transactions", "concurrent_io", "light"),
    "admin_needed": (False, True),
    "boundaries_real": (False, True),
    "team": ("mixed", "typed", "flask_owner"),
    "strategy_settled": (False, True),
}

# A tuple matches any of its values; a missing question matches any answer. Each combination matches exactly one row.
SCENARIOS: tuple[tuple[dict[str, Any], str], ...] = (
    # Transactions, or staff who correct data: a platform with an admin.
    ({"shape": "product", "workload": "transactions"}, "django"),
    ({"shape": "product", "workload": ("concurrent_io", "light"), "admin_needed": True}, "django"),
    ({"shape": ("api", "integration"), "workload": "transactions", "admin_needed": True}, "django"),
    # A product without either is one deployable, unless separate teams own parts of it already.
    (
        {"shape": "product", "workload": ("concurrent_io", "light"), "admin_needed": False, "boundaries_real": False},
        "django",
    ),
    (
        {"shape": "product", "workload": ("concurrent_io", "light"), "admin_needed": False, "boundaries_real": True},
        "fastapi",
    ),
    # An API is FastAPI; a small one with an admin is Django for a mixed team.
    ({"shape": "api", "workload": ("transactions", "light"), "admin_needed": False}, "fastapi"),
    ({"shape": "api", "workload": "concurrent_io"}, "fastapi"),
    ({"shape": "api", "workload": "light", "admin_needed": True, "team": "mixed"}, "django"),
    ({"shape": "api", "workload": "light", "admin_needed": True, "team": ("typed", "flask_owner")}, "fastapi"),
    # An integration is Flask if the team has decided what Flask leaves open.
    ({"shape": "integration", "workload": "light", "strategy_settled": True}, "flask"),
    ({"shape": "integration", "workload": "light", "strategy_settled": False}, "fastapi"),
    (
        {"shape": "integration", "workload": "transactions", "admin_needed": False, "strategy_settled": True},
        "flask",
    ),
    (
        {"shape": "integration", "workload": "transactions", "admin_needed": False, "strategy_settled": False},
        "fastapi",
    ),
    # Many slow calls at once need async, unless the team has Flask conventions and an owner.
    (
        {"shape": "integration", "workload": "concurrent_io", "team": "flask_owner", "strategy_settled": True},
        "flask",
    ),
    (
        {"shape": "integration", "workload": "concurrent_io", "team": "flask_owner", "strategy_settled": False},
        "fastapi",
    ),
    ({"shape": "integration", "workload": "concurrent_io", "team": ("mixed", "typed")}, "fastapi"),
)


def combinations() -> Iterator[dict[str, Any]]:
    """Yield every combination of answers to the guided questions."""
    return (dict(zip(GUIDED, answers, strict=True)) for answers in product(*GUIDED.values()))


def frameworks(answers: Answers) -> list[str]:
    """Return the frameworks of the rows that match `answers`, exactly one if the table is sound."""
    return [
        framework
        for row, framework in SCENARIOS
        if all(answers[key] in (value if isinstance(value, tuple) else (value,)) for key, value in row.items())
    ]


def still_matters(key: str, answers: Answers) -> bool:
    """Return whether `key` can still change the framework, given the answers before it."""
    keys = list(GUIDED)
    later = keys[keys.index(key) + 1 :]
    leads_to = {
        tuple(
            frameworks({**answers, key: value, **dict(zip(later, rest, strict=True))})[0]
            for rest in product(*(GUIDED[name] for name in later))
        )
        for value in GUIDED[key]
    }
    return len(leads_to) > 1
