"""Where the record of a deployment is kept."""

from __future__ import annotations

from pathlib import Path

from tools.create2 import ROOT
from tools.devnet import CHAIN_ID


def record_path(chain_id: int) -> Path:
    """Public networks are part of the repository; the local chain is part of this checkout's run state."""
    folder = ROOT / ".countersign" / "deployments" if chain_id == CHAIN_ID else ROOT / "deployments"
    return folder / f"{chain_id}.json"
