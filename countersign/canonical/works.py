"""Works, seals, claims, models and identities as bytes.

tests/vectors/eip712.json binds these bytes to Solidity and to an independent encoder.
"""

from __future__ import annotations

from typing import Any

from countersign.canonical.base import (
    Fields,
    checksum,
    digest,
    domain,
    hash_struct,
    json_value,
    mapping_slot,
    signature,
    text_hash,
    types,
)
from countersign.records import Adoption, Claim, Contracts, KeyRecord, Model, Seal, Work

__all__ = [
    "adoption_digest",
    "claim_digest",
    "claim_slot",
    "claim_typed_data",
    "identity_slot",
    "key_slot",
    "leaf_data",
    "model_digest",
    "model_id",
    "model_typed_data",
    "objection_id",
    "seal_slot",
    "unpack_claim",
    "unpack_key",
    "unpack_seal",
    "work_id",
]

_WORK: Fields = (
    ("bytes32", "content"),
    ("bytes32", "fingerprint"),
    ("string", "origin"),
    ("bytes32", "model"),
    ("bytes32", "parents"),
    ("bytes32", "metadata"),
)
_CLAIM: Fields = (("address", "creator"), ("Work", "work"))
_MODEL: Fields = (
    ("address", "publisher"),
    ("bytes32", "weights"),
    ("bytes32", "root"),
    ("bytes32", "card"),
    ("bytes32", "data"),
    ("string", "licence"),
    ("bytes32", "parents"),
    ("bytes32", "metrics"),
)
_ADOPTION: Fields = (
    ("address", "identity"),
    ("address", "key"),
    ("bytes32", "commitment"),
    ("address", "guardian"),
)
_SEAL: Fields = (
    ("uint256", "chainId"),
    ("address", "registry"),
    ("address", "creator"),
    ("bytes32", "workId"),
    ("bytes32", "salt"),
)
_OBJECTION: Fields = (
    ("uint256", "chainId"),
    ("address", "registry"),
    ("bytes32", "content"),
    ("address", "objector"),
    ("bytes32", "evidence"),
)
# Storage layout of the contracts (OpenZeppelin's EIP712 base takes slots 0 and 1).
_SEALS, _CLAIMS = 2, 3
_KEYS, _IDENTITIES = 2, 3


def work_id(work: Work) -> bytes:
    """EIP-712 struct hash of a work, 32 bytes: the same on every chain."""
    return hash_struct(
        signature("Work", _WORK),
        work.content,
        work.fingerprint,
        text_hash(work.origin),
        work.model,
        work.parents,
        work.metadata,
    )


def model_id(model: Model) -> bytes:
    """EIP-712 struct hash of a model version, 32 bytes: the same on every chain."""
    return hash_struct(
        signature("Model", _MODEL),
        model.publisher,
        model.weights,
        model.root,
        model.card,
        model.data,
        text_hash(model.licence),
        model.parents,
        model.metrics,
    )


def leaf_data(chain_id: int, registry: bytes, creator: bytes, work: bytes, salt: bytes) -> bytes:
    """Data of the seal leaf that commits ``creator`` to the work id ``work``: 32 bytes, opaque without the salt."""
    return hash_struct(signature("Seal", _SEAL), chain_id, registry, creator, work, salt)


def objection_id(chain_id: int, registry: bytes, content: bytes, objector: bytes, evidence: bytes) -> bytes:
    """Names an objection, 32 bytes: the subject under which an Oracle is asked about it. The same words said again are
    the same objection."""
    return hash_struct(signature("Objection", _OBJECTION), chain_id, registry, content, objector, evidence)


def claim_digest(contracts: Contracts, creator: bytes, work: Work) -> bytes:
    """What the creator signs (EIP-712) for ``claimFor`` and for the certificate."""
    type_text = signature("Claim", _CLAIM) + signature("Work", _WORK)
    return digest(contracts.chain_id, contracts.registry, hash_struct(type_text, creator, work_id(work)))


def model_digest(contracts: Contracts, model: Model) -> bytes:
    """What the publisher signs (EIP-712) for ``publishFor``."""
    return digest(contracts.chain_id, contracts.models, model_id(model))


def adoption_digest(contracts: Contracts, adoption: Adoption) -> bytes:
    """What a new key signs (EIP-712) to take over an identity."""
    struct = hash_struct(
        signature("Adoption", _ADOPTION), adoption.identity, adoption.key, adoption.commitment, adoption.guardian
    )
    return digest(contracts.chain_id, contracts.identities, struct)


def claim_typed_data(contracts: Contracts, creator: bytes, work: Work) -> dict[str, Any]:
    """The same as :func:`claim_digest`, as JSON for ``eth_signTypedData_v4``: wallets show every field."""
    fields = {name: json_value(getattr(work, name)) for _, name in _WORK}
    return {
        "types": types(Claim=_CLAIM, Work=_WORK),
        "primaryType": "Claim",
        "domain": domain(contracts.chain_id, contracts.registry),
        "message": {"creator": checksum(creator), "work": fields},
    }


def model_typed_data(contracts: Contracts, model: Model) -> dict[str, Any]:
    """The same as :func:`model_digest`, as JSON for ``eth_signTypedData_v4``."""
    return {
        "types": types(Model=_MODEL),
        "primaryType": "Model",
        "domain": domain(contracts.chain_id, contracts.models),
        "message": {name: json_value(getattr(model, name)) for _, name in _MODEL},
    }


def seal_slot(root: bytes, sealer: bytes) -> bytes:
    """Storage slot of a seal in ContentRegistry."""
    return mapping_slot(sealer, mapping_slot(root, _SEALS))


def claim_slot(content: bytes) -> bytes:
    """Storage slot of a claim in ContentRegistry."""
    return mapping_slot(content, _CLAIMS)


def key_slot(key: bytes) -> bytes:
    """Storage slot of a key's record in Identities."""
    return mapping_slot(key, _KEYS)


def identity_slot(identity: bytes) -> bytes:
    """Storage slot of an identity's current key in Identities."""
    return mapping_slot(identity, _IDENTITIES)


def _bits(value: int, offset: int, width: int) -> int:
    return value >> offset & (1 << width) - 1


def unpack_seal(value: int) -> Seal | None:
    """The seal in a storage word, or None when the word is empty."""
    return Seal(time=_bits(value, 0, 64), block=_bits(value, 64, 64)) if value else None


def unpack_claim(value: int) -> Claim | None:
    """The claim in a storage word, or None when the word is empty."""
    if not value:
        return None
    return Claim(
        creator=_bits(value, 0, 160).to_bytes(20, "big"),
        sealed_at=_bits(value, 160, 40),
        consent_at=_bits(value, 200, 40),
        flags=_bits(value, 240, 16),
    )


def unpack_key(value: int) -> KeyRecord:
    """The key record in a storage word; all zero for a key that never took part."""
    return KeyRecord(
        root=_bits(value, 0, 160).to_bytes(20, "big"), cutoff=_bits(value, 160, 40), suspect_from=_bits(value, 200, 40)
    )
