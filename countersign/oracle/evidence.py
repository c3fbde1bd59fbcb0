"""The evidence document: why a node scored as it did. Its keccak256 is what the node signs.

JSON with sorted keys, no spaces, ASCII: the same finding gives the same bytes. It names the node and its model.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from countersign.canonical import checksum, keccak, to_hex
from countersign.checks import Finding
from countersign.durable import make_private_folder, write_durably
from countersign.oracle.decide import Asked
from countersign.records import DealContracts

__all__ = ["FORMAT", "MAX_BYTES", "Shelf", "document"]

FORMAT = "countersign-evidence/1"
MAX_BYTES = 256 * 1024
"""Longer details are left out: what a check reads in a delivery may be of any length."""


def document(contracts: DealContracts, asked: Asked, seat: int, check: dict[str, str], finding: Finding) -> bytes:
    """The document's bytes. ``check`` names the check and its weights. Raises ValueError for details that are no
    JSON."""
    held = asked.policy.seats[seat]
    facts = {
        "format": FORMAT,
        "chainId": contracts.chain_id,
        "oracle": checksum(contracts.oracle),
        "request": _request(asked),
        "node": checksum(held.node),
        "model": to_hex(held.model),
        "check": check,
        "finding": {"score": finding.score, "reason": finding.reason, "details": finding.details},
    }
    whole = _bytes(facts)
    if len(whole) <= MAX_BYTES:
        return whole
    facts["finding"] = {"score": finding.score, "reason": finding.reason[:1000], "details": {"omitted": len(whole)}}
    return _bytes(facts)


def _request(asked: Asked) -> dict[str, Any]:
    r = asked.request
    return {"subject": to_hex(r.subject), "policy": checksum(r.policy), "round": r.round, "issuedAt": asked.issued_at}


def _bytes(facts: dict[str, Any]) -> bytes:
    return json.dumps(facts, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


class Shelf:
    """A folder of evidence documents, each under its hash."""

    def __init__(self, folder: Path) -> None:
        make_private_folder(folder)
        self._folder = folder

    def put(self, whole: bytes) -> bytes:
        """Keep a document durably; its hash."""
        digest = keccak(whole)
        write_durably(self._path(digest), whole)
        return digest

    def get(self, digest: bytes) -> bytes | None:
        """The document of that hash, or None."""
        try:
            return self._path(digest).read_bytes()
        except FileNotFoundError:
            return None

    def _path(self, digest: bytes) -> Path:
        return self._folder / f"{digest.hex()}.json"
