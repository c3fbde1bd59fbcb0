"""Where a transaction stands. Derived from the chain's state, so that replaced and repeated transactions make no
difference: what counts is whether the seal or the claim is there, and final."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

from app.chain import client, is_pending
from countersign.certificate import Certificate
from countersign.errors import ChainError
from countersign.records import Call, Seal
from countersign.seal import claim_call, seal_call

__all__ = ["Progress", "Sent", "call_progress", "claim_progress", "seal_progress"]

State = Literal["ready", "sent", "mined", "final", "reverted", "dropped"]
GRACE = 30.0
"""Seconds a node may take to hear of a transaction before it counts as dropped."""


@dataclass(frozen=True)
class Sent:
    """A transaction that a wallet or demo account sent, and when (Unix time)."""

    transaction: bytes
    at: float

    @classmethod
    def now(cls, transaction: bytes) -> Sent:
        """Just sent."""
        return cls(transaction, time.time())


@dataclass(frozen=True)
class Progress:
    """A state, what it means in a sentence, and the block that holds the result, if any."""

    state: State
    words: str
    block: int | None = None

    @property
    def open(self) -> bool:
        """Whether the chain is expected to move it on by itself."""
        return self.state in ("sent", "mined")

    @property
    def failed(self) -> bool:
        """Whether it must be sent anew."""
        return self.state in ("reverted", "dropped")


def seal_progress(certificate: Certificate, sealer: bytes, sent: Sent | None) -> Progress:
    """How far the seal is. Raises ChainError when the chain cannot be asked."""
    seal = client().seal_of(certificate.root, sealer)
    return _of_seal(seal) if seal else _without_result(sent, sealer, seal_call(certificate))


def _of_seal(seal: Seal) -> Progress:
    left = seal.block - client().finalized().number
    if left <= 0:
        return Progress("final", f"Sealed for ever in block {seal.block}.", seal.block)
    return Progress("mined", f"In block {seal.block}; {_blocks(left)} until nothing can undo it.", seal.block)


def claim_progress(certificate: Certificate, sender: bytes, sent: Sent | None) -> Progress:
    """How far the claim is. Raises ChainError when the chain cannot be asked."""
    if _is_claimed(certificate, "finalized"):
        return Progress("final", "Claimed, and final.")
    if _is_claimed(certificate, "latest"):
        return Progress("mined", "Claimed; a few blocks until nothing can undo it.")
    return _without_result(sent, sender, claim_call(certificate))


def _is_claimed(certificate: Certificate, at: str) -> bool:
    claim = client().claim_of(certificate.work.content, at=at)
    return claim is not None and client().root_of(claim.creator) == client().root_of(certificate.creator)


def call_progress(sent: Sent | None, sender: bytes, call: Call) -> Progress:
    """How far any other transaction is; here the receipt is the result. Raises ChainError."""
    receipt = client().receipt(sent.transaction) if sent else None
    if receipt is None or not receipt.ok:
        return _without_result(sent, sender, call)
    left = receipt.block - client().finalized().number
    if left <= 0:
        return Progress("final", f"In block {receipt.block}, for ever.", receipt.block)
    return Progress("mined", f"In block {receipt.block}; {_blocks(left)} until nothing can undo it.", receipt.block)


def _without_result(sent: Sent | None, sender: bytes, call: Call) -> Progress:
    if sent is None:
        return Progress("ready", "")
    receipt = client().receipt(sent.transaction)
    if receipt is None:
        return _unmined(sent)
    if receipt.ok:
        return Progress("sent", "In a block that the chain is just replacing.")
    reason: ChainError = client().explain(sender, call, receipt.block)
    return Progress("reverted", f"The contract refused: {reason.message} {reason.next_step}", receipt.block)


def _unmined(sent: Sent) -> Progress:
    if is_pending(sent.transaction) or time.time() - sent.at < GRACE:
        return Progress("sent", "Waiting for a block.")
    return Progress(
        "dropped", "The network forgot this transaction: nothing happened, nothing was paid. Send it again."
    )


def _blocks(count: int) -> str:
    return "1 more block" if count == 1 else f"{count} more blocks"
