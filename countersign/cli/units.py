"""Options that people write with units: durations, amounts of the coin, addresses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from countersign.canonical import from_address
from countersign.deal.words import COIN, read_duration

__all__ = ["ADDRESS", "AMOUNT", "DURATION"]


class _Unit(click.ParamType):
    """Text read by a function that raises InputError."""

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name, self._read = name, read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return self._read(value) if isinstance(value, str) else value


DURATION = _Unit("duration", read_duration)
"""Seconds of 30s, 10m, 2h, 3d, 1h30m."""
AMOUNT = _Unit("amount", COIN.read)
"""Wei of 0.01."""
ADDRESS = _Unit("address", from_address)
"""20 bytes."""
