"""Where the contracts live: CREATE2 addresses, the same on every chain (deployments/create2.json)."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from countersign.canonical import from_hex
from countersign.records import Contracts

__all__ = ["contracts_on"]


def _folder() -> Traversable:
    """Inside the wheel, else at the top of a checkout."""
    shipped = files("countersign.chain") / "deployments"
    return shipped if shipped.is_dir() else Path(__file__).parents[2] / "deployments"


@cache
def contracts_on(chain_id: int) -> Contracts:
    """The contracts' addresses on a chain. That there is code is for the client to check."""
    contracts = json.loads((_folder() / "create2.json").read_text())["contracts"]
    registry, identities, models = (
        from_hex(contracts[name]["address"], 20) for name in ("ContentRegistry", "Identities", "ModelRegistry")
    )
    return Contracts(chain_id, registry, identities, models)
