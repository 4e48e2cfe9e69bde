"""Smoke test of the modules together."""

import pytest
from django.core.management import call_command


@pytest.mark.django_db
def test_system_checks_pass() -> None:
    """Foreign keys between modules follow their `depends_on`, among others."""
    call_command("check")
