"""Calls to bytes, logs to records, reverts to words; from the ABIs that ship with the package."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode
from eth_abi.exceptions import DecodingError

from countersign.canonical import checksum, from_hex, keccak, text_hash, to_hex
from countersign.errors import Reverted
from countersign.records import Model, Opening, Work

__all__ = ["Event", "Log", "decode_log", "decode_result", "encode_call", "event_topic", "revert_error", "tuple_of"]

_CONTRACTS = ("ContentRegistry", "Identities", "ModelRegistry")

_Fragment = dict[str, Any]


@dataclass(frozen=True)
class Log:
    """A raw log as the node gave it, with its place on the chain."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes
    block: int
    index: int
    transaction: bytes


@dataclass(frozen=True)
class Event:
    """A decoded log: ``name`` and its arguments by name (addresses and hashes as bytes, structs as dicts)."""

    name: str
    arguments: dict[str, Any]
    log: Log


@cache
def _abi(contract: str) -> tuple[_Fragment, ...]:
    return tuple(json.loads((files("countersign.chain") / "abi" / f"{contract}.json").read_text()))


def _type(parameter: _Fragment) -> str:
    kind: str = parameter["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(map(_type, parameter['components']))}){kind.removeprefix('tuple')}"


def _types(parameters: Sequence[_Fragment]) -> list[str]:
    return [_type(parameter) for parameter in parameters]


def _hash(fragment: _Fragment) -> bytes:
    return keccak(f"{fragment['name']}({','.join(_types(fragment['inputs']))})".encode())


@cache
def _function(contract: str, name: str) -> _Fragment:
    return next(f for f in _abi(contract) if f["type"] == "function" and f["name"] == name)


@cache
def _by_hash(kind: str) -> dict[bytes, _Fragment]:
    return {_hash(f): f for contract in _CONTRACTS for f in _abi(contract) if f["type"] == kind}


def encode_call(contract: str, function: str, *arguments: Any) -> bytes:
    """Calldata of ``contract.function(*arguments)``; structs as tuples, addresses as 20 bytes."""
    fragment = _function(contract, function)
    return _hash(fragment)[:4] + abi_encode(_types(fragment["inputs"]), [_addresses(a) for a in arguments])


def decode_result(contract: str, function: str, data: bytes) -> Any:
    """The single result of a view, addresses as 20 bytes; a struct or several results as a tuple."""
    outputs = _function(contract, function)["outputs"]
    values = tuple(map(_plain, abi_decode(_types(outputs), data)))
    return values[0] if len(values) == 1 else values


def tuple_of(record: Work | Model | Opening) -> tuple[Any, ...]:
    """A record as the contracts' struct: strings travel as their hash."""
    if isinstance(record, Work):
        w = record
        return (w.content, w.fingerprint, text_hash(w.origin), w.model, w.parents, w.metadata)
    if isinstance(record, Model):
        m = record
        return (m.publisher, m.weights, m.root, m.card, m.data, text_hash(m.licence), m.parents, m.metrics)
    o = record
    return (o.creator, o.sealer, o.salt, o.path.index, o.path.size, list(o.path.hashes))


def _addresses(value: Any) -> Any:
    """eth_abi takes addresses as hex only."""
    if isinstance(value, bytes) and len(value) == 20:
        return to_hex(value)
    return tuple(map(_addresses, value)) if isinstance(value, tuple | list) else value


def _plain(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("0x") and len(value) == 42:
        return from_hex(value, 20)
    return tuple(map(_plain, value)) if isinstance(value, tuple | list) else value


def _named(parameters: Sequence[_Fragment], values: Sequence[Any]) -> dict[str, Any]:
    return {
        p["name"]: _named(p["components"], v) if p["type"] == "tuple" else v
        for p, v in zip(parameters, map(_plain, values), strict=True)
    }


def event_topic(name: str) -> bytes:
    """First topic of the event ``name``."""
    return next(topic for topic, fragment in _by_hash("event").items() if fragment["name"] == name)


def decode_log(log: Log) -> Event | None:
    """The event a log records, or None when it is none of ours."""
    fragment = _by_hash("event").get(log.topics[0]) if log.topics else None
    if fragment is None:
        return None
    indexed = [p for p in fragment["inputs"] if p["indexed"]]
    plain = [p for p in fragment["inputs"] if not p["indexed"]]
    topics = [abi_decode([_type(p)], topic)[0] for p, topic in zip(indexed, log.topics[1:], strict=True)]
    arguments = _named(indexed, topics) | _named(plain, abi_decode(_types(plain), log.data))
    return Event(fragment["name"], arguments, log)


_WORDS = {
    "NoSeal": ("No seal of {root} by {sealer} exists.", "Seal the work first: countersign seal FILE."),
    "InvalidPath": (
        "The path of {length} hashes does not fit leaf {index} of {size}.",
        "Use the certificate as it was issued.",
    ),
    "SealTooYoung": ("The seal is from this very block.", "Claim again in the next block."),
    "NotCurrentKey": ("{caller} does not speak for this identity; {current} does.", "Sign with that key."),
    "ConsentAfterCutoff": (
        "{key} was cut off at {cutoff}; its consent of {consentAt} does not count.",
        "Seal it again with the identity's current key.",
    ),
    "AlreadyClaimed": (
        "{content} is claimed by {creator} with a seal of {sealedAt}, which is as early or earlier.",
        "If the work is yours, file an objection: countersign object.",
    ),
    "BadSignature": ("The signature is not by {expected}.", "Sign with the identity's current key."),
    "NoClaim": ("Nobody claims {content}.", "Check the file, or claim it first."),
    "KeyCutOff": ("{key} was cut off at {cutoff}.", "Use the identity's current key."),
    "AlreadyPublished": ("This model version was published at {publishedAt}.", "Nothing is left to do."),
    "NotPublished": ("No such model version is published: {modelId}.", "Give exactly the published manifest."),
    "AlreadyEnded": ("This model version was ended at {endedAt}.", "Nothing is left to do."),
    "NoWeights": ("The model has no weights.", "Give the weights' file or folder."),
    "NotAllowed": ("{caller} has no say here; {expected} has.", "Sign with that key."),
    "KeyUsed": ("{key} already belongs to the identity {identity}.", "Use a fresh key."),
    "NotIdentity": ("{key} is not the name of an identity; {identity} is.", "Use that address."),
    "BadAdoptionSignature": ("{key} did not sign this adoption.", "Sign with the new key."),
    "NotCommittedKey": ("{key} is not the committed next key.", "Use the key that was committed to."),
    "BadGuardian": ("{guardian} cannot guard itself.", "Choose another guardian."),
    "TooEarly": ("The change may be completed at {readyAt}.", "Try again then."),
    "BadSuspicion": ("{from} is not before the cut-off.", "Give an earlier time."),
    "NothingWaits": ("Nothing waits for {identity}.", "There is nothing to cancel."),
}


def revert_error(data: bytes, fallback: str = "") -> Reverted:
    """A revert in words: the custom error with its arguments, or what the node said of it."""
    fragment = next((f for h, f in _by_hash("error").items() if h[:4] == data[:4]), None)
    if fragment is None:
        reason = _plain_reason(data) or fallback or "it gave no reason"
        return Reverted("", f"The contract refused: {reason}.", "Check what you sent, then try again.")
    try:
        values = _named(fragment["inputs"], abi_decode(_types(fragment["inputs"]), data[4:]))
    except (DecodingError, ValueError):
        return Reverted(fragment["name"], f"The contract refused: {fragment['name']}.", "Check what you sent.")
    shown = {name: _show(name, value) for name, value in values.items()}
    message, next_step = _WORDS.get(fragment["name"], (f"{fragment['name']}: {shown}.", "Check what you sent."))
    return Reverted(fragment["name"], message.format(**shown), next_step)


def _plain_reason(data: bytes) -> str:
    """The text of ``Error(string)``, if that is what ``data`` holds."""
    if data[:4] != keccak(b"Error(string)")[:4]:
        return ""
    try:
        return str(abi_decode(["string"], data[4:])[0])
    except (DecodingError, ValueError):
        return ""


def _show(name: str, value: Any) -> str:
    if isinstance(value, bytes):
        return checksum(value) if len(value) == 20 else to_hex(value)
    if name in ("sealedAt", "consentAt", "cutoff", "publishedAt", "endedAt", "readyAt", "from") and value < 1 << 37:
        from datetime import UTC, datetime

        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return str(value)
