"""What a benchmark prints (docs in README): figures with the floor of the job, our ratio to it, and the peers."""

from __future__ import annotations

import os
import platform
import ssl
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Figure", "document", "gas_floor", "machine", "packed", "shown", "table"]


@dataclass(frozen=True)
class Figure:
    """One measured value; ``floor`` is the arithmetic minimum of the same job. A bar is ``limit``, the most, or
    ``least``. ``note`` says what the value does not."""

    name: str
    value: float
    unit: str
    floor: float | None = None
    peers: dict[str, float] = field(default_factory=dict)
    limit: float | None = None
    least: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Value over floor."""
        return round(self.value / self.floor, 3) if self.floor else None

    @property
    def met(self) -> bool:
        """Whether the bar is met; a figure without a bar only reports."""
        return (self.limit is None or self.value <= self.limit) and (self.least is None or self.value >= self.least)

    @property
    def bar(self) -> str:
        """The bar and whether it is met, in words; empty without a bar."""
        bars = [f"{sign} {_short(at)}" for sign, at in (("≤", self.limit), ("≥", self.least)) if at is not None]
        return f"{'met' if self.met else 'MISSED'} ({', '.join(bars)})" if bars else ""


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:,.2f}"


def document(group: str, figures: list[Figure]) -> dict[str, Any]:
    """The JSON of a group."""
    return {"bench": group, "machine": machine(), "figures": [_plain(figure) for figure in figures]}


def _plain(figure: Figure) -> dict[str, Any]:
    return asdict(figure) | {"ratio": figure.ratio, "met": figure.met}


def machine() -> dict[str, Any]:
    """What was measured on."""
    return {
        "cpu": _cpu(),
        "cpus": os.cpu_count(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "openssl": ssl.OPENSSL_VERSION,
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def table(group: str, figures: list[Figure]) -> str:
    """The same for people."""
    lines = [f"{group:<22} {'value':>10} {'unit':<6} {'floor':>10} {'ratio':>6}  bar"]
    for f in figures:
        floor, ratio = (f"{f.floor:,.0f}" if f.floor else "-"), (f"{f.ratio:.3f}" if f.ratio else "-")
        lines.append(f"{f.name:<22} {shown(f.value):>10} {f.unit:<6} {floor:>10} {ratio:>6}  {f.bar or '-'}")
        lines += [f"  {peer:<46} {shown(value):>12}" for peer, value in f.peers.items()]
        lines += [f"  {f.note}"] if f.note else []
    return "\n".join(lines)


def shown(value: float) -> str:
    """Three digits, or all of a larger number's integer part."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:,.1f}" if abs(value) >= 10 else f"{value:,.2f}"


def gas_floor(calldata: bytes, *, new_slots: int = 0, updates: int = 0, reads: int = 0, accounts: int = 0,
              recoveries: int = 0, payments: int = 0, pulls: int = 0, pushes: int = 0,
              logs: tuple[tuple[int, int], ...] = ()) -> int:  # fmt: skip
    """Least gas a transaction can use for the job: the arithmetic of EIP-2929, 2200, 2028, 7623, and nothing for
    execution.

    ``new_slots`` go from zero to a value, ``updates`` from a value to another, ``reads`` are cold slots read,
    ``accounts`` other cold contracts called, ``recoveries`` signatures recovered, ``payments`` calls with coin to a
    cold account that exists, ``pulls`` and ``pushes`` ERC-20 transfers from an account with infinite allowance and to
    an account (both balances non-zero, the token cold), ``logs`` are (topics, data bytes).
    """
    zero = calldata.count(0)
    used = len(calldata) - zero
    work = 22_100 * new_slots + 5_000 * updates + 2_100 * reads + 2_600 * accounts + 3_000 * recoveries
    work += 9_300 * payments + 16_456 * pulls + 14_356 * pushes
    work += sum(375 + 375 * topics + 8 * data for topics, data in logs)
    return 21_000 + max(4 * zero + 16 * used + work, 10 * zero + 40 * used)


def packed(used: int, zero: int = 0) -> bytes:
    """Calldata of so many bytes: what a job must tell the chain, selector included and nothing padded."""
    return b"\1" * used + bytes(zero)
