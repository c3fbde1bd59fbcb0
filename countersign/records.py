"""What is said about works, models, keys, verdicts and deals: frozen records without behaviour.

Hashes, ids and signatures are ``bytes`` (32, 32, 65), addresses ``bytes`` of 20, times Unix seconds. A field without a
value is 32 zero bytes, "" or None, as its type says. Hex appears only at the edges.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

__all__ = [
    "ORIGINS",
    "ZERO",
    "Adoption",
    "Attestation",
    "Block",
    "Call",
    "Cause",
    "Challenge",
    "Claim",
    "Contracts",
    "Deal",
    "DealContracts",
    "KeyRecord",
    "Milestone",
    "Model",
    "ModelTimes",
    "Node",
    "Opening",
    "Outcome",
    "Path",
    "Policy",
    "Request",
    "Seal",
    "Seat",
    "Stage",
    "State",
    "Terms",
    "Verdict",
    "Work",
]

ZERO = bytes(32)

ORIGINS = {
    "": "not declared",
    "trainedAlgorithmicMedia": "made by a generative AI model",
    "compositeWithTrainedAlgorithmicMedia": "composite that includes AI-made parts",
    "algorithmicallyEnhanced": "edited by an algorithm without generative AI",
    "algorithmicMedia": "made by an algorithm that was not trained on data",
    "digitalCapture": "captured by a camera or microphone",
    "computationalCapture": "captured by a device that combined several exposures",
    "negativeFilm": "digitised from a negative",
    "positiveFilm": "digitised from a positive",
    "print": "digitised from a print",
    "digitalCreation": "made by a person with software",
    "humanEdits": "edited by a person",
    "compositeCapture": "composite of captures",
    "compositeSynthetic": "composite with synthetic parts",
    "dataDrivenMedia": "drawn from data",
    "screenCapture": "captured from a screen",
    "virtualRecording": "recorded in a virtual scene",
    "composite": "composite of several sources",
}
"""IPTC digital source types (NewsCodes ``digitalsourcetype``) in plain words; "" stands for none declared."""


@dataclass(frozen=True)
class Work:
    """What a creator says of a work; contracts/interfaces/IContentRegistry.sol defines the fields."""

    content: bytes
    fingerprint: bytes = ZERO
    origin: str = ""
    model: bytes = ZERO
    parents: bytes = ZERO
    metadata: bytes = ZERO


@dataclass(frozen=True)
class Model:
    """What a publisher says of a model version; contracts/interfaces/IModelRegistry.sol defines the fields."""

    publisher: bytes
    weights: bytes
    root: bytes = ZERO
    card: bytes = ZERO
    data: bytes = ZERO
    licence: str = ""
    parents: bytes = ZERO
    metrics: bytes = ZERO


@dataclass(frozen=True)
class Path:
    """Inclusion path of one leaf: its position, the number of leaves, sibling hashes from the leaf up."""

    index: int
    size: int
    hashes: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Opening:
    """What opens a seal: shows that a sealed root holds this creator's work."""

    creator: bytes
    sealer: bytes
    salt: bytes
    path: Path


@dataclass(frozen=True)
class Seal:
    """When a sender first sealed a root."""

    time: int
    block: int


@dataclass(frozen=True)
class Claim:
    """Who claims a content, since when."""

    creator: bytes
    sealed_at: int
    consent_at: int
    flags: int

    @property
    def retracted(self) -> bool:
        """The creator withdrew the claim; the content stays taken."""
        return bool(self.flags & 1)


@dataclass(frozen=True)
class KeyRecord:
    """What Identities stores of a key; ``root`` is 20 zero bytes for a key that never took part."""

    root: bytes
    cutoff: int
    suspect_from: int


@dataclass(frozen=True)
class Adoption:
    """The whole state an identity has after a new key takes over."""

    identity: bytes
    key: bytes
    commitment: bytes = ZERO
    guardian: bytes = bytes(20)


@dataclass(frozen=True)
class ModelTimes:
    """When a model version was published, deprecated and revoked; 0: not."""

    published_at: int
    deprecated_at: int
    revoked_at: int


@dataclass(frozen=True)
class Contracts:
    """Where Countersign lives on a chain."""

    chain_id: int
    registry: bytes
    identities: bytes
    models: bytes


@dataclass(frozen=True)
class DealContracts:
    """Where verdicts and deals live on a chain."""

    chain_id: int
    nodes: bytes
    oracle: bytes
    escrow: bytes


@dataclass(frozen=True)
class Node:
    """What OracleNodes stores of a node; ``slasher`` is 20 zero bytes for one that never joined, ``stake`` in gwei."""

    slasher: bytes
    leaves_at: int
    stake: int


@dataclass(frozen=True)
class Seat:
    """A node with its model in a policy."""

    node: bytes
    model: bytes


@dataclass(frozen=True)
class Policy:
    """Who judges, and how; contracts/interfaces/IOracle.sol defines the fields. Money in wei, times in seconds."""

    check: bytes
    seats: tuple[Seat, ...]
    k: int
    pass_score: int
    submit_time: int
    challenge_time: int = 0
    ruling_time: int = 0
    fee: int = 0
    bond: int = 0
    slash: int = 0
    arbiter: bytes = bytes(20)


@dataclass(frozen=True)
class Request:
    """What nodes are asked."""

    subject: bytes
    policy: bytes
    round: int


@dataclass(frozen=True)
class Attestation:
    """What one node says: ``score`` 0 to 100, ``evidence`` its document's hash, ``issued_at`` the request's time."""

    request: Request
    score: int
    evidence: bytes
    issued_at: int


class Outcome(IntEnum):
    """What a verdict says."""

    NONE = 0
    PASS = 1
    FAIL = 2
    VOID = 3


class Stage(IntEnum):
    """How far a challenge is."""

    UNCHALLENGED = 0
    CHALLENGED = 1
    UPHELD = 2
    ANNULLED = 3
    OVERTURNED = 4
    DECLINED = 5


@dataclass(frozen=True)
class Verdict:
    """What Oracle stores of (subject, policy): its newest round. Masks have bit i for seat i."""

    requested_at: int
    final_at: int
    ruled_at: int
    signers: int
    suspended: int
    paid: int
    bound: int
    round: int
    outcome: Outcome
    stage: Stage


@dataclass(frozen=True)
class Challenge:
    """What Oracle stores of a challenge; ``challenger`` is 20 zero bytes once its bond is settled."""

    challenger: bytes
    ruling_by: int


@dataclass(frozen=True)
class Milestone:
    """A later part of a deal; its times in seconds run from the payment of the one before."""

    amount: int
    deliver_time: int
    verdict_time: int


@dataclass(frozen=True)
class Terms:
    """Everything the parties agree on; contracts/interfaces/IEscrow.sol defines the fields."""

    payer: bytes
    payee: bytes
    amount: int
    deliver_by: int
    verdict_by: int
    token: bytes = bytes(20)
    policy: bytes = bytes(20)
    brief: bytes = ZERO
    dispute_time: int = 0
    ruling_time: int = 0
    reveal_time: int = 0
    arbiter: bytes = bytes(20)
    silence_share: int = 0
    milestones: tuple[Milestone, ...] = ()
    buyer_key: bytes = ZERO
    salt: bytes = ZERO


class State(IntEnum):
    """How far the current milestone of a deal is."""

    NONE = 0
    STARTED = 1
    DELIVERED = 2
    DISPUTED = 3
    RULED_PAY = 4
    RULED_REFUND = 5
    RULED_HALF = 6
    ENDED = 7


class Cause(IntEnum):
    """Why money moved."""

    RELEASE = 0
    REFUND = 1
    VERDICT = 2
    RULING = 3
    SILENCE = 4
    UNDELIVERED = 5
    AMENDMENT = 6


@dataclass(frozen=True)
class Deal:
    """What Escrow stores of a deal: the first 20 bytes of the delivery, times, the current milestone, its state."""

    delivery: bytes
    delivered_at: int
    ruling_by: int
    milestone: int
    state: State


@dataclass(frozen=True)
class Block:
    """A block's name and place."""

    number: int
    hash: bytes
    parent: bytes
    time: int


@dataclass(frozen=True)
class Call:
    """A transaction's destination, calldata and wei, before anybody signs it."""

    to: bytes
    data: bytes
    value: int = 0
