"""How many trials, and what they covered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

_COVERED: Counter[str] = Counter()
_QUICK, _DEEP, _DEEP_OF_PROCESSES = 1, 10, 30


@pytest.fixture(scope="session")
def deep(request: pytest.FixtureRequest) -> bool:
    """Whether this is `make deep`."""
    return bool(request.config.pluginmanager.has_plugin("tools.deep"))


@pytest.fixture(scope="session")
def trials(deep: bool) -> int:
    """Of each command."""
    return _DEEP if deep else _QUICK


@pytest.fixture(scope="session")
def many(deep: bool) -> int:
    """Trials of what is not a command: threads that send, a follower, a node."""
    return _DEEP_OF_PROCESSES if deep else _QUICK


@pytest.fixture(scope="session")
def covered() -> Callable[[str, int], None]:
    """Counts the kills of a unit that were borne."""

    def count(unit: str, kills: int) -> None:
        _COVERED[unit] += kills

    return count


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many kills there were of what."""
    if _COVERED:
        terminalreporter.write_line(
            f"killed {_COVERED.total()} times: " + ", ".join(f"{u} {n}" for u, n in _COVERED.items())
        )
