"""Where the contracts live: CREATE2 addresses, the same on every chain (deployments/create2.json)."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from countersign.canonical import from_hex
from countersign.records import Contracts, DealContracts

__all__ = ["contracts_on", "deal_contracts_on"]


def _folder() -> Traversable:
    """Inside the wheel, else at the top of a checkout."""
    shipped = files("countersign.chain") / "deployments"
    return shipped if shipped.is_dir() else Path(__file__).parents[2] / "deployments"


@cache
def _addresses() -> dict[str, bytes]:
    contracts = json.loads((_folder() / "create2.json").read_text())["contracts"]
    return {name: from_hex(contract["address"], 20) for name, contract in contracts.items()}


def contracts_on(chain_id: int) -> Contracts:
    """Where seals and claims live on a chain. That there is code is for the client to check."""
    at = _addresses()
    return Contracts(chain_id, at["ContentRegistry"], at["Identities"], at["ModelRegistry"])


def deal_contracts_on(chain_id: int) -> DealContracts:
    """Where verdicts and deals live on a chain. That there is code is for the client to check."""
    at = _addresses()
    return DealContracts(chain_id, at["OracleNodes"], at["Oracle"], at["Escrow"])
