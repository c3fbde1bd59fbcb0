"""Is an objection justified? The objector's work is sealed earlier, and the two are the same or nearly so.

Not a judgement on copying or on law: it says what the chain and the bytes say. The order is the chain's, which the node
asked itself; the likeness is the distance of content codes (ISO 24138) computed here from the bytes that were fetched.
"""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from countersign.checks.base import BadContent, Finding, Material, Precedence, card_of, judged
from countersign.errors import InputError
from countersign.fingerprint.iscc import Fingerprint, examine
from countersign.times import utc

__all__ = ["PriorWork"]

NEAR = 8
"""Bits of 64 in which the content codes of two near duplicates differ at most: re-encoded, resized, lightly edited."""


class PriorWork:
    """Scores 100 (justified) or 0."""

    name, licence = "prior-work", "Apache-2.0"
    weights = hashlib.sha256(b"countersign-prior-work/1: ISCC content code, 64 bit, at most %d differ" % NEAR).digest()

    @property
    def card(self) -> str:
        return card_of(self.name)

    def run(self, material: Material) -> Finding:
        return judged(_judge, material)


def _judge(material: Material) -> Finding:
    order = _earlier(material.precedence)
    if material.reference is None:
        raise BadContent("The objector's own work is not at hand.")
    distance = _distance(material.reference, material.content)
    details = {"ownSealedAt": order[0], "disputedSealedAt": order[1], "distance": distance, "near": NEAR}
    if distance > NEAR:
        return Finding(0, f"The works differ: {distance} of 64 bits of their content codes.", details)
    when = f"sealed {utc(order[0])}, the disputed one {utc(order[1])}"
    return Finding(100, f"The objector's work is earlier ({when}) and alike: {distance} of 64 bits differ.", details)


def _earlier(found: Precedence | None) -> tuple[int, int]:
    """When both were sealed. Raises BadContent unless the objector's is strictly earlier."""
    if found is None:
        raise BadContent("This check judges objections, and needs what the chain says of both works.")
    if found.own is None:
        raise BadContent("The objector's identity holds no standing claim on the work that it names.")
    if found.disputed is None:
        raise BadContent("Nobody claims the disputed work any more.")
    if found.own >= found.disputed:
        raise BadContent(f"The objector's work was sealed {utc(found.own)}, not before {utc(found.disputed)}.")
    return found.own, found.disputed


def _distance(own: bytes, disputed: bytes) -> int:
    """Bits in which the content codes differ. Raises BadContent for works that have none, or of two kinds."""
    mine, theirs = (_codes(work) for work in (own, disputed))
    if not mine.kind or not theirs.kind:
        raise BadContent(f"A work has no content code. {mine.note or theirs.note}")
    if mine.kind != theirs.kind:
        raise BadContent(f"One work is {mine.kind}, the other one {theirs.kind}.")
    return (int.from_bytes(mine.content, "big") ^ int.from_bytes(theirs.content, "big")).bit_count()


def _codes(work: bytes) -> Fingerprint:
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "work")
            path.write_bytes(work)
            return examine(path)
    except InputError as error:
        raise BadContent(error.message) from error
