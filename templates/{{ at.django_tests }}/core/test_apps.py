"""Smoke tests of the modules together."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.core.management.base import SystemCheckError

ROOT = Path(__file__).parents[2]


@pytest.mark.django_db
def test_foreign_keys_follow_the_declared_dependencies(settings: LazySettings) -> None:
    call_command("check")
    settings.MODULE_DEPENDENCIES = {"one": ("two",), "two": ("one",)}
    with pytest.raises(SystemCheckError, match="has a cycle"):
        call_command("check")


def test_startapp_adds_a_module() -> None:
    command = [sys.executable, "manage.py", "startapp", "invoices"]
    result = subprocess.run(command, cwd=ROOT, env={"PATH": ""}, capture_output=True, text=True, check=False)  # noqa: S603
    assert result.returncode == 1
    assert "uv run just add-module" in result.stderr
