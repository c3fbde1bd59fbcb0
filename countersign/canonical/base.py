"""Bytes of everything: hex, addresses, EIP-712 hashing. Sources: EIP-712, EIP-55, the Solidity storage layout."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from Crypto.Hash import keccak as _keccak

from countersign.errors import InputError

__all__ = [
    "DOMAIN",
    "Fields",
    "checksum",
    "digest",
    "domain",
    "from_address",
    "from_hex",
    "hash_struct",
    "json_value",
    "keccak",
    "mapping_slot",
    "signature",
    "text_hash",
    "to_hex",
    "types",
    "word",
]

Fields = tuple[tuple[str, str], ...]
"""Type and name of each field of a struct."""

DOMAIN: Fields = (
    ("string", "name"),
    ("string", "version"),
    ("uint256", "chainId"),
    ("address", "verifyingContract"),
)


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


@lru_cache(4096)
def checksum(address: bytes) -> str:
    """EIP-55 form of a 20-byte address."""
    digits = address.hex()
    nibbles = keccak(digits.encode()).hex()
    return "0x" + "".join(c.upper() if int(n, 16) >= 8 else c for c, n in zip(digits, nibbles, strict=False))


@lru_cache(512)
def text_hash(text: str) -> bytes:
    """What stands for a string on chain: keccak256 of its UTF-8, as EIP-712 encodes it; "" is hashed like any other."""
    return keccak(text.encode())


def word(value: bytes | int) -> bytes:
    return value.to_bytes(32, "big") if isinstance(value, int) else value.rjust(32, b"\0")


@lru_cache(64)
def signature(name: str, fields: Fields) -> str:
    return f"{name}({','.join(f'{kind} {field}' for kind, field in fields)})"


def hash_struct(type_text: str, *words: bytes | int) -> bytes:
    return keccak(text_hash(type_text) + b"".join(map(word, words)))


def digest(chain_id: int, contract: bytes, struct_hash: bytes) -> bytes:
    domain = hash_struct(
        signature("EIP712Domain", DOMAIN), text_hash("Countersign"), text_hash("1"), chain_id, contract
    )
    return keccak(b"\x19\x01" + domain + struct_hash)


def types(**structs: Fields) -> dict[str, Any]:
    return {
        name: [{"name": field, "type": kind} for kind, field in fields]
        for name, fields in {"EIP712Domain": DOMAIN, **structs}.items()
    }


def domain(chain_id: int, contract: bytes) -> dict[str, Any]:
    return {"name": "Countersign", "version": "1", "chainId": chain_id, "verifyingContract": checksum(contract)}


def json_value(value: bytes | str) -> str:
    if isinstance(value, str):
        return value
    return checksum(value) if len(value) == 20 else to_hex(value)


def mapping_slot(key: bytes, slot: bytes | int) -> bytes:
    return keccak(word(key) + word(slot))
