"""Each test belongs to exactly one tier, and a tier starts nothing that it does not promise."""

import pytest
from conftest import TIERS
from servers import copy_project, postgresql_database
from support import ROOT


def test_each_test_has_exactly_one_tier(request: pytest.FixtureRequest) -> None:
    wrong = {
        item.nodeid: tiers
        for item in request.session.items
        if len(tiers := [mark.name for mark in item.iter_markers() if mark.name in TIERS]) != 1
    }
    assert wrong == {}


def test_fast_tier_sets_up_no_project() -> None:
    with pytest.raises(AssertionError, match="mark the test"):
        copy_project(ROOT, ROOT / "never", {})
    with pytest.raises(AssertionError, match="mark the test"), postgresql_database("never"):
        pass
