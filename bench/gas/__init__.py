"""Gas of our contracts and of the peers, measured on one fresh chain (anvil, Osaka), beside the arithmetic floor.

Steady state: the last of several runs with other keys, so that no first-time cost of an account or contract is counted.
"""

from __future__ import annotations

from bench.figures import Figure
from bench.gas import deals, seals, verdicts
from bench.gas.committee import MAX_SEATS, recruit
from bench.gas.lab import Lab
from tools.devnet import Devnet

__all__ = ["measure"]


def measure() -> list[Figure]:
    """Every figure of the group ``gas``."""
    with Devnet() as chain:
        lab = Lab(chain)
        members = recruit(lab, MAX_SEATS)
        return [*seals.figures(lab), *verdicts.figures(lab, members), *deals.figures(lab, members)]
