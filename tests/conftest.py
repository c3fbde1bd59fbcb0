"""Shared by all tests: the vectors, and how hard hypothesis tries."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

VECTORS = Path(__file__).parent / "vectors"

settings.register_profile("quick", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
if settings.get_current_profile_name() == "default":  # `make deep` has chosen its own
    settings.load_profile("quick")


@pytest.fixture(scope="session")
def vectors() -> Callable[[str], Any]:
    """A file of tests/vectors by its name, read."""
    return lambda name: json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
