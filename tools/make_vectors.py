"""Writes tests/vectors/*.json, which the Python, Solidity and web tests all read.

It shares no code with the package: RFC 6962 as the recursion of its §2.1 over hashlib, EIP-712 by eth_account. Run
``python -m tools.make_vectors`` after a change of format; tests/contracts/test_layout.py finds stale files.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "vectors"

CHAIN_ID = 31337
REGISTRY, IDENTITIES, MODELS = (to_checksum_address(bytes([n]) * 20) for n in (0xC1, 0xC2, 0xC3))
ZERO = "0x" + "00" * 32

CT_LEAVES = (
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
)
"""The leaves of the Certificate Transparency reference tests."""

CT_ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
"""Their roots as published, by number of leaves: an anchor outside this file."""

TYPES: dict[str, list[dict[str, str]]] = {
    name: [dict(zip(("type", "name"), field.split(), strict=True)) for field in fields.split(", ")]
    for name, fields in {
        "EIP712Domain": "string name, string version, uint256 chainId, address verifyingContract",
        "Work": "bytes32 content, bytes32 fingerprint, string origin, bytes32 model, bytes32 parents, bytes32 metadata",
        "Claim": "address creator, Work work",
        "Seal": "uint256 chainId, address registry, address creator, bytes32 workId, bytes32 salt",
        "Model": "address publisher, bytes32 weights, bytes32 root, bytes32 card, bytes32 data, string licence, "
        "bytes32 parents, bytes32 metrics",
        "Adoption": "address identity, address key, bytes32 commitment, address guardian",
    }.items()
}


def to_hex(data: bytes) -> str:
    """0x-prefixed lower-case hex."""
    return "0x" + data.hex()


# RFC 6962


def hash_leaf(data: bytes) -> bytes:
    """MTH({d(0)}) = SHA-256(0x00 || d(0))."""
    return sha256(b"\x00" + data).digest()


def hash_node(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def split(size: int) -> int:
    """k: the largest power of two smaller than ``size``."""
    return 1 << (size - 1).bit_length() - 1


def tree_hash(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962 §2.1."""
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return hash_leaf(leaves[0])
    k = split(len(leaves))
    return hash_node(tree_hash(leaves[:k]), tree_hash(leaves[k:]))


def tree_path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH of RFC 6962 §2.1.1."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return [*tree_path(index, leaves[:k]), tree_hash(leaves[k:])]
    return [*tree_path(index - k, leaves[k:]), tree_hash(leaves[:k])]


def item(index: int) -> bytes:
    """Leaf data number ``index`` of every tree in merkle.json: SHA-256 of the index as 8 bytes, big-endian."""
    return sha256(index.to_bytes(8, "big")).digest()


def path_record(index: int, leaves: Sequence[bytes]) -> dict[str, Any]:
    """One proven leaf."""
    hashes = [to_hex(node) for node in tree_path(index, leaves)]
    return {"index": index, "leaf": to_hex(hash_leaf(leaves[index])), "hashes": hashes}


def tree_record(leaves: Sequence[bytes], indices: Sequence[int]) -> dict[str, Any]:
    """A tree with the paths of some leaves."""
    paths = [path_record(index, leaves) for index in indices]
    return {"size": len(leaves), "root": to_hex(tree_hash(leaves)), "paths": paths}


def rfc6962() -> dict[str, Any]:
    """The Certificate Transparency trees of 1 to 8 leaves with every path."""
    leaves = [bytes.fromhex(leaf) for leaf in CT_LEAVES]
    trees = [tree_record(leaves[:size], range(size)) for size in range(1, len(leaves) + 1)]
    if [tree["root"][2:] for tree in trees] != list(CT_ROOTS[1:]):
        raise SystemExit("The roots differ from the published ones: correct tree_hash.")
    return {"leaves": ["0x" + leaf for leaf in CT_LEAVES], "empty": "0x" + CT_ROOTS[0], "trees": trees}


def some(size: int) -> list[int]:
    """All indices of a small tree; the ends, powers of two and their neighbours of a large one."""
    if size <= 17:
        return list(range(size))
    near = {power + step for power in (1, 8, 16, 32, 512) for step in (-1, 0, 1)}
    return sorted({0, size // 3, size - 2, size - 1} | {index for index in near if index < size})


def refused() -> list[dict[str, Any]]:
    """Openings that do not prove ``root``. ``fits``: the path's length fits, so that a (different) root comes out."""
    leaves = [item(index) for index in range(7)]
    good, root = path_record(2, leaves), to_hex(tree_hash(leaves))
    hashes: list[str] = good["hashes"]
    swapped, big = [hashes[1], hashes[0], *hashes[2:]], (1 << 64) - 1
    cases: list[tuple[str, int, int, list[str], bool]] = [
        ("index of the sibling", 3, 7, hashes, True),
        ("index of another subtree", 4, 7, hashes, True),
        ("index at the size", 7, 7, hashes, False),
        ("index beyond the size", 8, 7, hashes, False),
        ("largest index", big, 7, hashes, False),
        ("size 0", 0, 0, [], False),
        ("size 0 with a path", 2, 0, hashes, False),
        ("size one level up", 2, 9, hashes, False),
        ("size one level down", 2, 4, hashes, False),
        ("size of a single leaf", 0, 1, hashes, False),
        ("largest size", 2, big, hashes, False),
        ("no path", 2, 7, [], False),
        ("path without its first node", 2, 7, hashes[1:], False),
        ("path without its last node", 2, 7, hashes[:-1], False),
        ("path with one node more", 2, 7, [*hashes, hashes[0]], False),
        ("nodes swapped", 2, 7, swapped, True),
        ("65 nodes", 2, big, hashes[:1] * 65, False),
    ]
    names = ("what", "index", "size", "hashes", "fits")
    return [dict(zip(names, case, strict=True)) | {"leaf": good["leaf"], "root": root} for case in cases]


def merkle() -> dict[str, Any]:
    """Trees over 32-byte items, and openings that must be refused."""
    trees = []
    for size in (*range(1, 18), 31, 32, 33, 1000):
        trees.append(tree_record([item(index) for index in range(size)], some(size)))
    return {"item": "SHA-256 of the index as 8 bytes, big-endian", "trees": trees, "refused": refused()}


# EIP-712


def typed(kind: str, message: dict[str, Any], contract: str = REGISTRY) -> SignableMessage:
    """What eth_account makes of a struct: header = domain separator, body = struct hash."""
    used = ("EIP712Domain", kind, *(("Work",) if kind == "Claim" else ()))
    domain = {"name": "Countersign", "version": "1", "chainId": CHAIN_ID, "verifyingContract": contract}
    types = {name: TYPES[name] for name in used}
    return encode_typed_data(
        full_message={"types": types, "primaryType": kind, "domain": domain, "message": message},
    )


def struct_hash(kind: str, message: dict[str, Any]) -> str:
    """hashStruct(message), which no domain enters."""
    return to_hex(typed(kind, message).body)


def signed(kind: str, message: dict[str, Any], contract: str, secret: bytes) -> dict[str, str]:
    """Digest and signature under the domain of ``contract``."""
    text = typed(kind, message, contract)
    digest = keccak(b"\x19\x01" + text.header + text.body)
    return {"digest": to_hex(digest), "signature": to_hex(bytes(Account.sign_message(text, secret).signature))}


def secret_of(number: int) -> bytes:
    """A signing key for tests only."""
    return keccak(text=f"countersign test key {number}")


def address_of(number: int) -> str:
    """Its address, EIP-55."""
    return str(Account.from_key(secret_of(number)).address)


def word(text: str) -> str:
    """32 bytes that stand for ``text`` in a vector."""
    return to_hex(sha256(text.encode()).digest())


def works() -> list[dict[str, Any]]:
    """The emptiest work, full ones, and a text that is not ASCII."""
    names = ("content", "fingerprint", "model", "parents", "metadata")
    bare: dict[str, Any] = dict.fromkeys(names, ZERO) | {"content": word("bare"), "origin": ""}
    full = [
        {name: word(f"{name} {origin}") for name in names} | {"origin": origin}
        for origin in ("trainedAlgorithmicMedia", "digitalCapture", "é 龍 🐉")
    ]
    return [bare, *full, dict.fromkeys(names, "0x" + "ff" * 32) | {"origin": "x" * 100}]


def work_record(number: int, work: dict[str, Any]) -> dict[str, Any]:
    """Everything derived from one work by the creator with test key ``number``."""
    creator, salt, work_id = address_of(number), word(f"salt {number}"), struct_hash("Work", work)
    sealed = {"chainId": CHAIN_ID, "registry": REGISTRY, "creator": creator, "workId": work_id, "salt": salt}
    leaf = struct_hash("Seal", sealed)
    return {
        "work": work,
        "originHash": to_hex(keccak(text=work["origin"])),
        "workId": work_id,
        "creator": creator,
        "salt": salt,
        "leaf": leaf,
        "root": to_hex(hash_leaf(bytes.fromhex(leaf[2:]))),
        "claim": signed("Claim", {"creator": creator, "work": work}, REGISTRY, secret_of(number)),
    }


def model_record(number: int, licence: str, empty: bool) -> dict[str, Any]:
    """One model version by the publisher with test key ``number``."""
    names = ("weights", "root", "card", "data", "parents", "metrics")
    fields = {name: ZERO if empty and name != "weights" else word(f"{name} {number}") for name in names}
    model = {"publisher": address_of(number), "licence": licence} | fields
    return {
        "model": model,
        "licenceHash": to_hex(keccak(text=licence)),
        "modelId": struct_hash("Model", model),
        "publish": signed("Model", model, MODELS, secret_of(number)),
    }


def adoption_record(number: int, prepared: bool) -> dict[str, Any]:
    """The adoption of test key ``number`` + 1 by the identity of key ``number``."""
    adoption = {
        "identity": address_of(number),
        "key": address_of(number + 1),
        "commitment": to_hex(keccak(bytes(12) + bytes.fromhex(address_of(number + 2)[2:]))) if prepared else ZERO,
        "guardian": address_of(number + 3) if prepared else to_checksum_address(bytes(20)),
    }
    return {"adoption": adoption, "adopt": signed("Adoption", adoption, IDENTITIES, secret_of(number + 1))}


def eip712() -> dict[str, Any]:
    """Ids, leaves, digests and signatures under fixed contract addresses."""
    licences = (("", True), ("Apache-2.0", False), ("MIT OR LicenseRef-Ünïcode", False))
    return {
        "chainId": CHAIN_ID,
        "registry": REGISTRY,
        "identities": IDENTITIES,
        "models": MODELS,
        "works": [work_record(number, work) for number, work in enumerate(works())],
        "modelVersions": [model_record(10 + n, licence, empty) for n, (licence, empty) in enumerate(licences)],
        "adoptions": [adoption_record(20, True), adoption_record(30, False)],
    }


def main() -> int:
    """Write the files, or with ``--check`` say whether they are what this program writes."""
    stale = []
    for name, make in {"rfc6962": rfc6962, "merkle": merkle, "eip712": eip712}.items():
        file, text = FOLDER / f"{name}.json", json.dumps(make(), indent=1, ensure_ascii=False) + "\n"
        if "--check" not in sys.argv:
            file.write_text(text, encoding="utf-8")
        elif not file.is_file() or file.read_text(encoding="utf-8") != text:
            stale.append(file.name)
    if stale:
        print(f"{', '.join(stale)}: not what tools/make_vectors.py writes. Run: python -m tools.make_vectors")
    return bool(stale)


if __name__ == "__main__":
    sys.exit(main())
