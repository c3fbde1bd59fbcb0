"""The one Merkle tree of the project: RFC 6962 §2.1 (RFC 9162 §2.1), SHA-256, leaf prefix 0x00, node prefix 0x01.

A tree keeps its levels as flat byte buffers (64 bytes per leaf in all); inclusion paths are read from them on demand.
A tree that is too large for memory is made of pages: a page's root is a node of the whole, since its size is a power of
two.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import islice
from struct import iter_unpack
from typing import Any

from countersign.errors import InputError
from countersign.records import ZERO, Path

__all__ = ["PAGE", "MerkleTree", "hash_leaf", "hash_node", "joined", "list_root", "pages", "root_of"]

PAGE = 1 << 10
"""Leaves of a page."""
_SIZE = 32
_LEAF, _NODE = sha256(b"\x00"), sha256(b"\x01")
"""Hashers that have read the prefix: to copy one takes half the time of making one."""


def hash_leaf(data: bytes) -> bytes:
    """SHA-256(0x00 ‖ data)."""
    return _hashed(_LEAF, (data,))


def hash_node(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return _hashed(_NODE, (left + right,))


def _hashed(prefix: Any, parts: Iterable[bytes]) -> bytes:
    """The hashes of all parts, one after the other."""
    copy, hashes = prefix.copy, bytearray()
    for part in parts:
        hasher = copy()
        hasher.update(part)
        hashes += hasher.digest()
    return bytes(hashes)


def root_of(leaf: bytes, path: Path) -> bytes | None:
    """The root that ``path`` proves for the leaf hash ``leaf`` (RFC 9162 §2.1.3.2).

    None when the path's length does not fit its index and size. Compare with a trusted root.
    """
    if not 0 <= path.index < path.size:
        return None
    fn, sn, root = path.index, path.size - 1, leaf
    for sibling in path.hashes:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            root = hash_node(sibling, root)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            root = hash_node(root, sibling)
        fn, sn = fn >> 1, sn >> 1
    return root if sn == 0 else None


def _parents(level: bytes) -> bytes:
    """The level above: pairs hashed, an odd last hash promoted unchanged."""
    paired = len(level) // (2 * _SIZE) * 2 * _SIZE
    return _hashed(_NODE, _pairs(memoryview(level)[:paired])) + level[paired:]


def _pairs(level: memoryview) -> Iterator[bytes]:
    return (pair for (pair,) in iter_unpack(f"{2 * _SIZE}s", level))


class MerkleTree:
    """A tree over leaf data. ``size`` leaves, ``root`` 32 bytes."""

    def __init__(self, leaves: Iterable[bytes]) -> None:
        """Hash every leaf and node once. Raises InputError for no leaves: there is nothing to prove about nothing."""
        self._build(_hashed(_LEAF, leaves))

    @classmethod
    def over(cls, hashes: bytes) -> MerkleTree:
        """The tree over nodes that are hashed already, one after the other: a page's leaves, or the roots of pages."""
        tree = cls.__new__(cls)
        tree._build(hashes)
        return tree

    def _build(self, level: bytes) -> None:
        if not level:
            raise InputError("A tree needs at least one leaf.", "Give at least one work.")
        self._levels = [level]
        while len(level) > _SIZE:
            level = _parents(level)
            self._levels.append(level)
        self.size = len(self._levels[0]) // _SIZE
        self.root = level

    def path(self, index: int) -> Path:
        """Inclusion path of the leaf at ``index``. Raises InputError outside 0 … size - 1."""
        if not 0 <= index < self.size:
            raise InputError(f"Leaf {index} is not in a tree of {self.size}.", f"Use 0 to {self.size - 1}.")
        siblings = []
        at = index
        for level in self._levels[:-1]:
            sibling = level[(at ^ 1) * _SIZE : ((at ^ 1) + 1) * _SIZE]
            if sibling:
                siblings.append(sibling)
            at >>= 1
        return Path(index, self.size, tuple(siblings))


def list_root(items: Sequence[bytes]) -> bytes:
    """The root over a list in its order; 32 zero bytes for an empty one."""
    return MerkleTree(items).root if items else ZERO


def pages(leaves: Iterable[bytes]) -> Iterator[bytes]:
    """The leaf hashes of any number of leaves, :data:`PAGE` at a time: what is held in memory is one page."""
    rest = iter(leaves)
    while page := _hashed(_LEAF, islice(rest, PAGE)):
        yield page


def joined(lower: Path, upper: Path, size: int) -> Path:
    """The path in a tree of ``size`` leaves: through the leaf's page, then from the page's root through the others'."""
    return Path(upper.index * PAGE + lower.index, size, lower.hashes + upper.hashes)
