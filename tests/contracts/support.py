"""What the contract tests share: plain records of the contracts' structs, EIP-712 by eth_account, times."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from ape.api import AccountAPI
from ape.contracts import ContractInstance
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

from tools.make_vectors import TYPES

ZERO = bytes(32)
NOBODY = "0x" + "00" * 20
DAY = 86_400
WEEK = 7 * DAY


def sha256(text: str) -> bytes:
    """32 bytes that stand for ``text``."""
    return hashlib.sha256(text.encode()).digest()


def hash_leaf(data: bytes) -> bytes:
    """RFC 6962 leaf hash."""
    return hashlib.sha256(b"\x00" + data).digest()


def hash_node(left: bytes, right: bytes) -> bytes:
    """RFC 6962 node hash."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def commitment_to(key: AccountAPI | str) -> bytes:
    """keccak256(abi.encode(key))."""
    return keccak(bytes.fromhex(str(getattr(key, "address", key))[2:]).rjust(32, b"\0"))


@dataclass(frozen=True)
class Work:
    """The struct with its origin in words, as wallets show it."""

    content: bytes = sha256("a photograph")
    fingerprint: bytes = ZERO
    origin: str = "trainedAlgorithmicMedia"
    model: bytes = ZERO
    parents: bytes = ZERO
    metadata: bytes = ZERO

    @property
    def message(self) -> dict[str, Any]:
        """EIP-712 message."""
        return dict(vars(self))

    @property
    def words(self) -> tuple[bytes, ...]:
        """ABI argument."""
        return tuple(value if isinstance(value, bytes) else keccak(text=value) for value in vars(self).values())


@dataclass(frozen=True)
class Opening:
    """The struct; a single seal by default."""

    creator: str
    sealer: str
    salt: bytes = sha256("salt")
    index: int = 0
    size: int = 1
    path: tuple[bytes, ...] = ()

    @property
    def words(self) -> tuple[Any, ...]:
        """ABI argument."""
        return tuple(vars(self).values())


@dataclass(frozen=True)
class Model:
    """The struct with its licence in words."""

    publisher: str
    weights: bytes = sha256("weights")
    root: bytes = ZERO
    card: bytes = ZERO
    data: bytes = ZERO
    licence: str = "Apache-2.0"
    parents: bytes = ZERO
    metrics: bytes = ZERO

    @property
    def message(self) -> dict[str, Any]:
        """EIP-712 message."""
        return dict(vars(self))

    @property
    def words(self) -> tuple[Any, ...]:
        """ABI argument."""
        return tuple((self.message | {"licence": keccak(text=self.licence)}).values())


def typed(contract: ContractInstance, kind: str, message: dict[str, Any], **domain: Any) -> Any:
    """An EIP-712 message for ``contract``; ``domain`` overrides fields of the domain."""
    used = ("EIP712Domain", kind, *(("Work",) if kind == "Claim" else ()))
    here = {"name": "Countersign", "version": "1", "chainId": 31337, "verifyingContract": contract.address}
    full = {"types": {n: TYPES[n] for n in used}, "primaryType": kind, "domain": here | domain, "message": message}
    return encode_typed_data(full_message=full)


def sign(key: AccountAPI, contract: ContractInstance, kind: str, message: dict[str, Any], **domain: Any) -> bytes:
    """65 bytes r, s, v."""
    return bytes(Account.sign_message(typed(contract, kind, message, **domain), key.private_key).signature)
