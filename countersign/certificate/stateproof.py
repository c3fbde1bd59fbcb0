"""Checks of Ethereum state proofs (``eth_getProof``, EIP-1186) against a block header, with no chain at hand.

Trust ends in the header's hash: everything else is recomputed from the bytes in the proof.
"""

from __future__ import annotations

from dataclasses import dataclass

from countersign.canonical import keccak
from countersign.certificate import rlp
from countersign.errors import CertificateError
from countersign.records import Block

__all__ = ["EMPTY_ROOT", "AccountProof", "ProvenState", "SlotProof", "StateProof", "read_header"]

EMPTY_ROOT = keccak(b"\x80")
"""Root of a trie without entries."""

_NO_CODE = keccak(b"")

_PARENT, _STATE_ROOT, _NUMBER, _TIME = 0, 3, 8, 11


@dataclass(frozen=True)
class SlotProof:
    """Trie nodes from a storage root down to one 32-byte slot."""

    slot: bytes
    nodes: tuple[bytes, ...]


@dataclass(frozen=True)
class AccountProof:
    """Trie nodes from the state root down to an account, and proofs of some of its slots."""

    address: bytes
    nodes: tuple[bytes, ...]
    slots: tuple[SlotProof, ...]


@dataclass(frozen=True)
class ProvenState:
    """What a checked proof says as of a block: slot values, and which accounts are contracts."""

    block: Block
    values: dict[tuple[bytes, bytes], int]
    contracts: frozenset[bytes]

    def value(self, address: bytes, slot: bytes) -> int | None:
        """The proven value of a slot, or None when the proof does not cover it."""
        return self.values.get((address, slot))


@dataclass(frozen=True)
class StateProof:
    """A block header (RLP) and accounts proven against its state root."""

    header: bytes
    accounts: tuple[AccountProof, ...]

    def check(self) -> ProvenState:
        """Recompute every hash. Raises CertificateError when any node does not fit; trust ``block.hash`` separately."""
        block, state_root = read_header(self.header)
        values: dict[tuple[bytes, bytes], int] = {}
        contracts = set()
        for account in self.accounts:
            storage_root, code_hash = _account(state_root, account)
            if code_hash != _NO_CODE:
                contracts.add(account.address)
            for slot in account.slots:
                values[account.address, slot.slot] = _word(_lookup(storage_root, slot.slot, slot.nodes))
        return ProvenState(block, values, frozenset(contracts))


def _broken(what: str) -> CertificateError:
    return CertificateError(f"The state proof is broken: {what}.", "Ask for the original certificate, or refresh it.")


def read_header(header: bytes) -> tuple[Block, bytes]:
    """Block and state root of an RLP header; its hash is computed, not believed."""
    fields = rlp.decode(header)
    if not isinstance(fields, list) or len(fields) < 15 or not all(isinstance(field, bytes) for field in fields):
        raise _broken("the header is not a block header")
    raw = [bytes(field) for field in fields if isinstance(field, bytes)]
    if len(raw[_NUMBER]) > 8 or len(raw[_TIME]) > 8 or len(raw[_STATE_ROOT]) != 32:
        raise _broken("the header is not a block header")
    number, time = (int.from_bytes(raw[i], "big") for i in (_NUMBER, _TIME))
    return Block(number, keccak(header), raw[_PARENT], time), raw[_STATE_ROOT]


def _account(state_root: bytes, account: AccountProof) -> tuple[bytes, bytes]:
    """Storage root and code hash of an account."""
    found = _lookup(state_root, account.address, account.nodes)
    match rlp.decode(found) if found else None:
        case [_, _, bytes(storage_root), bytes(code_hash)]:
            return storage_root, code_hash
    raise _broken(f"there is no account 0x{account.address.hex()} in that block")


def _word(found: bytes | None) -> int:
    value = rlp.decode(found) if found else b""
    if not isinstance(value, bytes) or len(value) > 32:
        raise _broken("a slot is not a 32-byte word")
    return int.from_bytes(value, "big")


def _lookup(root: bytes, key: bytes, nodes: tuple[bytes, ...]) -> bytes | None:
    """Walk a secure Merkle-Patricia trie from ``root`` to ``key``: the value, or None when its absence is proven."""
    if root == EMPTY_ROOT:
        return None
    path = keccak(key).hex()
    by_hash = {keccak(node): node for node in nodes}
    reference: rlp.Item = root
    while True:
        node = _resolve(reference, by_hash)
        if len(node) == 17:
            if not path:
                return _leaf_value(node[16])
            reference, path = node[int(path[0], 16)], path[1:]
        else:
            prefix, is_leaf = _compact(node[0])
            if not path.startswith(prefix) or (is_leaf and path != prefix):
                return None
            path, reference = path[len(prefix) :], node[1]
            if is_leaf:
                return _leaf_value(reference)
        if reference == b"":
            return None


def _resolve(reference: rlp.Item, by_hash: dict[bytes, bytes]) -> list[rlp.Item]:
    """The node that a reference names: inline when shorter than a hash, else by its hash."""
    if isinstance(reference, bytes):
        encoded = by_hash.get(reference)
        if encoded is None:
            raise _broken("a node is missing or was changed")
        reference = rlp.decode(encoded)
    if not isinstance(reference, list) or len(reference) not in (2, 17):
        raise _broken("a node is neither branch nor leaf")
    return reference


def _compact(item: rlp.Item) -> tuple[str, bool]:
    """Hex-prefix decoding (Yellow Paper, appendix C): nibbles, and whether the node is a leaf."""
    if not isinstance(item, bytes) or not item or item[0] >> 4 > 3:
        raise _broken("a node has no path")
    flag = item[0] >> 4
    nibbles = item.hex()[1:] if flag & 1 else item.hex()[2:]
    return nibbles, bool(flag & 2)


def _leaf_value(item: rlp.Item) -> bytes | None:
    if not isinstance(item, bytes):
        raise _broken("a leaf holds no value")
    return item or None
