"""Durations, times and money as people write and read them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from countersign.canonical import checksum
from countersign.errors import InputError
from countersign.times import utc

__all__ = ["COIN", "Currency", "read_duration", "read_time", "show_duration", "when"]

_UNITS = {"w": 7 * 86400, "d": 86400, "h": 3600, "m": 60, "s": 1}
_SHOWN_UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
_DURATION = re.compile(r"(?:[0-9]{1,9}[wdhms])+")
_AMOUNT = re.compile(r"[0-9]{1,60}(?:\.[0-9]{1,40})?")


def read_duration(text: str) -> int:
    """Seconds of "90s", "10m", "2h30m", "3d", "1w", or "0". Raises InputError."""
    if text != "0" and not _DURATION.fullmatch(text):
        raise InputError(f"'{text}' is not a duration.", "Write it like 30s, 10m, 2h, 3d or 1h30m.")
    return sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"([0-9]+)([wdhms])", text))


def read_time(text: str, now: int) -> int:
    """Unix time of a duration from ``now``, or of an ISO 8601 time; without an offset it is UTC. Raises InputError."""
    if _DURATION.fullmatch(text):
        return now + read_duration(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"'{text}' is no time.", "Write it like 3d (from now) or 2030-12-31T18:00Z.") from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def show_duration(seconds: int) -> str:
    """The two largest units of a duration: "2 d 3 h", "10 min", "0 s"."""
    parts: list[str] = []
    for unit, size in _SHOWN_UNITS:
        count, seconds = divmod(seconds, size)
        if count or parts:
            parts.append(f"{count} {unit}" if count else "")
    return " ".join(filter(None, parts[:2])) or "0 s"


def when(seconds: int, now: int) -> str:
    """A Unix time, and how far it is from ``now``."""
    distance = show_duration(abs(seconds - now))
    return f"{utc(seconds)} ({f'in {distance}' if seconds > now else f'{distance} ago' if seconds < now else 'now'})"


@dataclass(frozen=True)
class Currency:
    """The chain's coin (``token`` is 20 zero bytes) or an ERC-20, with the decimals in which people count it."""

    token: bytes
    symbol: str
    decimals: int

    def show(self, amount: int) -> str:
        """An amount of smallest units, exactly."""
        whole, rest = divmod(amount, 10**self.decimals)
        fraction = f".{rest:0{self.decimals}d}".rstrip("0") if rest else ""
        return f"{whole}{fraction} {self.symbol}"

    def read(self, text: str) -> int:
        """Smallest units of a decimal number. Raises InputError, also for more decimals than there are."""
        if not _AMOUNT.fullmatch(text):
            raise InputError(f"'{text}' is not an amount.", "Write it like 0.01.")
        whole, _, fraction = text.partition(".")
        fraction = fraction.rstrip("0")
        amount = int(whole + fraction.ljust(self.decimals, "0")[: self.decimals])
        if len(fraction) > self.decimals or amount >> 256:
            raise InputError(f"{text} {self.symbol} has too many digits.", f"At most {self.decimals} decimals.")
        return amount

    def __str__(self) -> str:
        return f"{self.symbol} ({checksum(self.token)})" if any(self.token) else "the chain's coin"


COIN = Currency(bytes(20), "coin", 18)
"""The chain's own."""
