"""What is said about works, models and keys: frozen records without behaviour.

Hashes, ids and signatures are ``bytes`` (32, 32, 65), addresses ``bytes`` of 20, times Unix seconds. A field without a
value is 32 zero bytes, "" or None, as its type says. Hex appears only at the edges.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "ORIGINS",
    "ZERO",
    "Adoption",
    "Block",
    "Call",
    "Claim",
    "Contracts",
    "KeyRecord",
    "Model",
    "ModelTimes",
    "Opening",
    "Path",
    "Seal",
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
class Block:
    """A block's name and place."""

    number: int
    hash: bytes
    parent: bytes
    time: int


@dataclass(frozen=True)
class Call:
    """A transaction's destination and calldata, before anybody signs it."""

    to: bytes
    data: bytes
