"""Policies, attestations and deals as bytes.

tests/vectors/deals.json binds these bytes to Solidity and to an independent encoder.
"""

from __future__ import annotations

from typing import Any

from countersign.canonical.base import (
    Fields,
    digest,
    domain,
    from_address,
    from_hex,
    hash_struct,
    json_value,
    keccak,
    signature,
    to_hex,
    types,
    word,
)
from countersign.errors import InputError
from countersign.records import (
    Attestation,
    DealContracts,
    Milestone,
    Outcome,
    Policy,
    Request,
    Stage,
    Terms,
    Verdict,
)

__all__ = [
    "ATTESTATION_SIZE",
    "amendment_digest",
    "amendment_typed_data",
    "attestation_digest",
    "deal_id",
    "dump_terms",
    "load_terms",
    "pack_attestation",
    "policy_address",
    "request_hash",
    "subject_of",
    "unpack_attestation",
    "unpack_verdict",
    "verdict_key",
]

_REQUEST: Fields = (("bytes32", "subject"), ("address", "policy"), ("uint8", "round"))
_ATTESTATION: Fields = (("Request", "request"), ("uint8", "score"), ("bytes32", "evidence"), ("uint40", "issuedAt"))
_MILESTONE: Fields = (("uint256", "amount"), ("uint40", "deliverTime"), ("uint40", "verdictTime"))
_TERMS: Fields = (
    ("address", "payer"),
    ("address", "payee"),
    ("address", "token"),
    ("uint256", "amount"),
    ("address", "policy"),
    ("bytes32", "brief"),
    ("uint40", "deliverBy"),
    ("uint40", "verdictBy"),
    ("uint40", "disputeTime"),
    ("uint40", "rulingTime"),
    ("uint40", "revealTime"),
    ("address", "arbiter"),
    ("uint16", "silenceShare"),
    ("Milestone[]", "milestones"),
    ("bytes32", "buyerKey"),
    ("bytes32", "salt"),
)
_AMENDMENT: Fields = (("bytes32", "dealId"), ("bytes32", "newDealId"))

_SIGNATURE = 64
ATTESTATION_SIZE = 33 + _SIGNATURE
"""Score, evidence, r, vs (EIP-2098)."""


# Policies and verdicts


def policy_address(contracts: DealContracts, policy: Policy) -> bytes:
    """Where the Oracle creates a policy: CREATE2 (EIP-1014) with salt 0 of its code, which is STOP and its encoding."""
    code = b"\0" + _encode_policy(policy)
    init = b"\x61" + len(code).to_bytes(2, "big") + bytes.fromhex("80600a3d393df3") + code
    return keccak(b"\xff" + contracts.oracle + bytes(32) + keccak(init))[12:]


def _encode_policy(p: Policy) -> bytes:
    """Solidity's ``abi.encode`` of the struct: every field is a word, so nothing more is needed."""
    money, times = (p.fee, p.bond, p.slash), (p.submit_time, p.challenge_time, p.ruling_time)
    words: list[bytes | int] = [32, p.check, p.arbiter, *money, *times, p.k, p.pass_score, 32 * 11, len(p.seats)]
    for seat in p.seats:
        words += [seat.node, seat.model]
    return b"".join(map(word, words))


def verdict_key(subject: bytes, policy: bytes) -> bytes:
    """Under which Oracle stores the verdict."""
    return keccak(subject + word(policy))


def request_hash(request: Request) -> bytes:
    """EIP-712 struct hash of a request: what names it, on every chain alike."""
    return hash_struct(signature("Request", _REQUEST), request.subject, request.policy, request.round)


def attestation_digest(contracts: DealContracts, attestation: Attestation) -> bytes:
    """What a node signs (EIP-712)."""
    a = attestation
    type_text = signature("Attestation", _ATTESTATION) + signature("Request", _REQUEST)
    struct = hash_struct(type_text, request_hash(a.request), a.score, a.evidence, a.issued_at)
    return digest(contracts.chain_id, contracts.oracle, struct)


def pack_attestation(score: int, evidence: bytes, signature: bytes) -> bytes:
    """What ``submit`` takes, 97 bytes, from a 65-byte signature r ‖ s ‖ v with low s (EIP-2098)."""
    vs = int.from_bytes(signature[32:64], "big") | (signature[64] - 27) << 255
    return bytes([score]) + evidence + signature[:32] + vs.to_bytes(32, "big")


def unpack_attestation(packed: bytes) -> tuple[int, bytes, bytes]:
    """Score, evidence and 65-byte signature of 97 bytes."""
    vs = int.from_bytes(packed[65:97], "big")
    s = vs & (1 << 255) - 1
    return packed[0], packed[1:33], packed[33:65] + s.to_bytes(32, "big") + bytes([27 + (vs >> 255)])


def unpack_verdict(value: int) -> Verdict:
    """The verdict in a storage word, which the event ``Submitted`` carries."""
    widths = (40, 40, 40, 32, 32, 32, 8, 8, 8, 8)
    *numbers, outcome, stage = (value >> sum(widths[:n]) & (1 << width) - 1 for n, width in enumerate(widths))
    requested, final, ruled, signers, suspended, paid, bound, number = numbers
    return Verdict(requested, final, ruled, signers, suspended, paid, bound, number, Outcome(outcome), Stage(stage))


# Deals


def deal_id(contracts: DealContracts, terms: Terms) -> bytes:
    """EIP-712 digest of the terms: another chain or Escrow gives another id."""
    type_text = signature("Terms", _TERMS) + signature("Milestone", _MILESTONE)
    words = [getattr(terms, _snake(name)) for _, name in _TERMS if name != "milestones"]
    words.insert(-2, _milestones_hash(terms.milestones))
    return digest(contracts.chain_id, contracts.escrow, hash_struct(type_text, *words))


def _milestones_hash(milestones: tuple[Milestone, ...]) -> bytes:
    type_text = signature("Milestone", _MILESTONE)
    return keccak(b"".join(hash_struct(type_text, m.amount, m.deliver_time, m.verdict_time) for m in milestones))


def subject_of(deal: bytes, milestone: int, delivery: bytes) -> bytes:
    """What nodes are asked to judge about a delivery, of which the deal keeps the first 20 bytes."""
    return keccak(deal + word(milestone) + delivery[:20].ljust(32, b"\0"))


def amendment_digest(contracts: DealContracts, deal: bytes, new_deal: bytes) -> bytes:
    """What both parties sign (EIP-712) to replace a deal."""
    return digest(contracts.chain_id, contracts.escrow, hash_struct(signature("Amendment", _AMENDMENT), deal, new_deal))


def amendment_typed_data(contracts: DealContracts, deal: bytes, new_deal: bytes) -> dict[str, Any]:
    """The same as :func:`amendment_digest`, as JSON for ``eth_signTypedData_v4``."""
    return {
        "types": types(Amendment=_AMENDMENT),
        "primaryType": "Amendment",
        "domain": domain(contracts.chain_id, contracts.escrow),
        "message": {"dealId": to_hex(deal), "newDealId": to_hex(new_deal)},
    }


def dump_terms(terms: Terms) -> dict[str, Any]:
    """Terms as JSON: names as in EIP-712, hex, and numbers (amounts as decimal text)."""
    document: dict[str, Any] = {}
    for kind, name in _TERMS:
        value = getattr(terms, _snake(name))
        if name == "milestones":
            document[name] = [{**_numbers(_MILESTONE, m), "amount": str(m.amount)} for m in value]
        elif kind == "uint256":
            document[name] = str(value)
        else:
            document[name] = value if isinstance(value, int) else json_value(value)
    return document


def load_terms(document: Any) -> Terms:
    """Terms from the JSON of :func:`dump_terms`. Raises InputError when a field is missing, unknown or out of range."""
    fields = _exactly(document, _TERMS, "terms")
    values = {_snake(name): _value(kind, name, fields[name]) for kind, name in _TERMS if name != "milestones"}
    return Terms(milestones=tuple(map(_milestone, _list(fields["milestones"]))), **values)


def _milestone(document: Any) -> Milestone:
    fields = _exactly(document, _MILESTONE, "milestone")
    return Milestone(*(_value(kind, name, fields[name]) for kind, name in _MILESTONE))


def _numbers(names: Fields, record: Any) -> dict[str, int]:
    return {name: getattr(record, _snake(name)) for _, name in names}


def _exactly(document: Any, names: Fields, what: str) -> dict[str, Any]:
    wanted = {name for _, name in names}
    if not isinstance(document, dict) or document.keys() != wanted:
        raise InputError(f"These are not the fields of {what}.", f"There must be exactly: {', '.join(sorted(wanted))}.")
    return document


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise InputError("'milestones' is not a list.", "Give [] when there is one milestone only.")
    return value


def _value(kind: str, name: str, value: Any) -> Any:
    if kind == "address" and isinstance(value, str):
        return from_address(value)
    if kind == "bytes32" and isinstance(value, str):
        return from_hex(value, 32, name)
    bits = int(kind.removeprefix("uint")) if kind.startswith("uint") else 0
    number = (
        int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 80 else value
    )
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < 1 << bits:
        raise InputError(f"'{name}' is {str(value)[:40]!r}, not a {kind}.", "Correct the document.")
    return number


def _snake(name: str) -> str:
    return "".join("_" + c.lower() if c.isupper() else c for c in name)
