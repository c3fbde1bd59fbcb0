"""What a benchmark prints (docs in README): figures with the floor of the job, our ratio to it, and the peers."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["Figure", "document", "gas_floor", "packed", "table"]


@dataclass(frozen=True)
class Figure:
    """One measured value; ``floor`` is the arithmetic minimum of the same job, ``limit`` the bar CI asserts on it."""

    name: str
    value: float
    unit: str
    floor: float | None = None
    peers: dict[str, float] = field(default_factory=dict)
    limit: float | None = None

    @property
    def ratio(self) -> float | None:
        """Value over floor."""
        return round(self.value / self.floor, 3) if self.floor else None

    @property
    def met(self) -> bool:
        """Whether the bar is met; a figure without a bar only reports."""
        return self.limit is None or self.value <= self.limit


def document(group: str, figures: list[Figure]) -> dict[str, Any]:
    """The JSON of a group."""
    return {"bench": group, "machine": _machine(), "figures": [_plain(figure) for figure in figures]}


def _plain(figure: Figure) -> dict[str, Any]:
    return asdict(figure) | {"ratio": figure.ratio, "met": figure.met}


def _machine() -> dict[str, Any]:
    return {"cpus": os.cpu_count(), "platform": platform.platform(), "python": platform.python_version()}


def table(group: str, figures: list[Figure]) -> str:
    """The same for people."""
    lines = [f"{group:<18} {'value':>10} {'unit':<5} {'floor':>10} {'ratio':>6}  bar"]
    for f in figures:
        floor, ratio = (f"{f.floor:,.0f}" if f.floor else "-"), (f"{f.ratio:.3f}" if f.ratio else "-")
        bar = "-" if f.limit is None else f"{'met' if f.met else 'MISSED'} (≤ {f.limit:,.0f})"
        lines.append(f"{f.name:<18} {f.value:>10,.1f} {f.unit:<5} {floor:>10} {ratio:>6}  {bar}")
        lines += [f"  {peer:<44} {value:>12,.1f}" for peer, value in f.peers.items()]
    return "\n".join(lines)


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
