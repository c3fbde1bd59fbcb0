"""The only place where records become bytes: EIP-712 hashes, seal leaves, storage slots, hex.

Sources: EIP-712 (struct hashes, domain), EIP-55 (checksummed addresses), the Solidity storage layout of the contracts.
tests/vectors/eip712.json binds these bytes to Solidity and to an independent encoder.
"""

from __future__ import annotations

from typing import Any

from Crypto.Hash import keccak as _keccak

from countersign.errors import InputError
from countersign.records import Adoption, Claim, Contracts, KeyRecord, Model, Seal, Work

__all__ = [
    "adoption_digest",
    "checksum",
    "claim_digest",
    "claim_slot",
    "claim_typed_data",
    "from_address",
    "from_hex",
    "identity_slot",
    "keccak",
    "key_slot",
    "leaf_data",
    "model_digest",
    "model_id",
    "model_typed_data",
    "seal_slot",
    "text_hash",
    "to_hex",
    "unpack_claim",
    "unpack_key",
    "unpack_seal",
    "work_id",
]

_Fields = tuple[tuple[str, str], ...]

_WORK: _Fields = (
    ("bytes32", "content"),
    ("bytes32", "fingerprint"),
    ("string", "origin"),
    ("bytes32", "model"),
    ("bytes32", "parents"),
    ("bytes32", "metadata"),
)
_CLAIM: _Fields = (("address", "creator"), ("Work", "work"))
_MODEL: _Fields = (
    ("address", "publisher"),
    ("bytes32", "weights"),
    ("bytes32", "root"),
    ("bytes32", "card"),
    ("bytes32", "data"),
    ("string", "licence"),
    ("bytes32", "parents"),
    ("bytes32", "metrics"),
)
_ADOPTION: _Fields = (
    ("address", "identity"),
    ("address", "key"),
    ("bytes32", "commitment"),
    ("address", "guardian"),
)
_SEAL: _Fields = (
    ("uint256", "chainId"),
    ("address", "registry"),
    ("address", "creator"),
    ("bytes32", "workId"),
    ("bytes32", "salt"),
)
_DOMAIN: _Fields = (
    ("string", "name"),
    ("string", "version"),
    ("uint256", "chainId"),
    ("address", "verifyingContract"),
)

# Storage layout of the contracts (OpenZeppelin's EIP712 base takes slots 0 and 1).
_SEALS, _CLAIMS = 2, 3
_KEYS, _IDENTITIES = 2, 3


def keccak(data: bytes) -> bytes:
    """Keccak-256, 32 bytes."""
    return _keccak.new(data=data, digest_bits=256).digest()


def to_hex(data: bytes) -> str:
    """0x-prefixed lower-case hex."""
    return "0x" + data.hex()


def from_hex(text: str, size: int, what: str = "value") -> bytes:
    """Bytes of 0x-prefixed (or bare) hex of exactly ``size`` bytes. Raises InputError naming ``what``."""
    digits = text.removeprefix("0x")
    try:
        data = bytes.fromhex(digits)
    except ValueError:
        data = b""
    if len(data) != size or len(digits) != 2 * size:  # fromhex skips white space
        raise InputError(
            f"The {what} '{text[:80]}' is not {size} bytes of hex.", f"Give 0x followed by {2 * size} hex digits."
        )
    return data


def from_address(text: str) -> bytes:
    """Bytes of an address. Raises InputError when its mixed case is not its EIP-55 checksum: it was mistyped."""
    address = from_hex(text, 20, "address")
    digits = text.removeprefix("0x")
    if digits not in (digits.lower(), digits.upper(), checksum(address)[2:]):
        raise InputError(f"The address {text} has a wrong checksum.", "Check every character.")
    return address


def checksum(address: bytes) -> str:
    """EIP-55 form of a 20-byte address."""
    digits = address.hex()
    nibbles = keccak(digits.encode()).hex()
    return "0x" + "".join(c.upper() if int(n, 16) >= 8 else c for c, n in zip(digits, nibbles, strict=False))


def text_hash(text: str) -> bytes:
    """What stands for a string on chain: keccak256 of its UTF-8, as EIP-712 encodes it; "" is hashed like any other."""
    return keccak(text.encode())


def _word(value: bytes | int) -> bytes:
    return value.to_bytes(32, "big") if isinstance(value, int) else value.rjust(32, b"\0")


def _signature(name: str, fields: _Fields) -> str:
    return f"{name}({','.join(f'{kind} {field}' for kind, field in fields)})"


def _hash_struct(type_text: str, *words: bytes | int) -> bytes:
    return keccak(keccak(type_text.encode()) + b"".join(map(_word, words)))


def _digest(chain_id: int, contract: bytes, struct_hash: bytes) -> bytes:
    domain = _hash_struct(
        _signature("EIP712Domain", _DOMAIN), text_hash("Countersign"), text_hash("1"), chain_id, contract
    )
    return keccak(b"\x19\x01" + domain + struct_hash)


def work_id(work: Work) -> bytes:
    """EIP-712 struct hash of a work, 32 bytes: the same on every chain."""
    return _hash_struct(
        _signature("Work", _WORK),
        work.content,
        work.fingerprint,
        text_hash(work.origin),
        work.model,
        work.parents,
        work.metadata,
    )


def model_id(model: Model) -> bytes:
    """EIP-712 struct hash of a model version, 32 bytes: the same on every chain."""
    return _hash_struct(
        _signature("Model", _MODEL),
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
    return _hash_struct(_signature("Seal", _SEAL), chain_id, registry, creator, work, salt)


def claim_digest(contracts: Contracts, creator: bytes, work: Work) -> bytes:
    """What the creator signs (EIP-712) for ``claimFor`` and for the certificate."""
    type_text = _signature("Claim", _CLAIM) + _signature("Work", _WORK)
    return _digest(contracts.chain_id, contracts.registry, _hash_struct(type_text, creator, work_id(work)))


def model_digest(contracts: Contracts, model: Model) -> bytes:
    """What the publisher signs (EIP-712) for ``publishFor``."""
    return _digest(contracts.chain_id, contracts.models, model_id(model))


def adoption_digest(contracts: Contracts, adoption: Adoption) -> bytes:
    """What a new key signs (EIP-712) to take over an identity."""
    struct = _hash_struct(
        _signature("Adoption", _ADOPTION), adoption.identity, adoption.key, adoption.commitment, adoption.guardian
    )
    return _digest(contracts.chain_id, contracts.identities, struct)


def _types(**structs: _Fields) -> dict[str, Any]:
    return {
        name: [{"name": field, "type": kind} for kind, field in fields]
        for name, fields in {"EIP712Domain": _DOMAIN, **structs}.items()
    }


def _domain(chain_id: int, contract: bytes) -> dict[str, Any]:
    return {"name": "Countersign", "version": "1", "chainId": chain_id, "verifyingContract": checksum(contract)}


def claim_typed_data(contracts: Contracts, creator: bytes, work: Work) -> dict[str, Any]:
    """The same as :func:`claim_digest`, as JSON for ``eth_signTypedData_v4``: wallets show every field."""
    fields = {name: _json_value(getattr(work, name)) for _, name in _WORK}
    return {
        "types": _types(Claim=_CLAIM, Work=_WORK),
        "primaryType": "Claim",
        "domain": _domain(contracts.chain_id, contracts.registry),
        "message": {"creator": checksum(creator), "work": fields},
    }


def model_typed_data(contracts: Contracts, model: Model) -> dict[str, Any]:
    """The same as :func:`model_digest`, as JSON for ``eth_signTypedData_v4``."""
    return {
        "types": _types(Model=_MODEL),
        "primaryType": "Model",
        "domain": _domain(contracts.chain_id, contracts.models),
        "message": {name: _json_value(getattr(model, name)) for _, name in _MODEL},
    }


def _json_value(value: bytes | str) -> str:
    if isinstance(value, str):
        return value
    return checksum(value) if len(value) == 20 else to_hex(value)


def _mapping_slot(key: bytes, slot: bytes | int) -> bytes:
    return keccak(_word(key) + _word(slot))


def seal_slot(root: bytes, sealer: bytes) -> bytes:
    """Storage slot of a seal in ContentRegistry."""
    return _mapping_slot(sealer, _mapping_slot(root, _SEALS))


def claim_slot(content: bytes) -> bytes:
    """Storage slot of a claim in ContentRegistry."""
    return _mapping_slot(content, _CLAIMS)


def key_slot(key: bytes) -> bytes:
    """Storage slot of a key's record in Identities."""
    return _mapping_slot(key, _KEYS)


def identity_slot(identity: bytes) -> bytes:
    """Storage slot of an identity's current key in Identities."""
    return _mapping_slot(identity, _IDENTITIES)


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
