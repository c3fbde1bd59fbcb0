"""A Merkle-Patricia trie written from the Yellow Paper (appendices C, D), on other libraries than the package's."""

from __future__ import annotations

from itertools import takewhile
from typing import Any

import rlp
from eth_utils.crypto import keccak

EMPTY = keccak(rlp.encode(b""))


def hex_prefix(nibbles: str, leaf: bool) -> bytes:
    """Appendix C."""
    flag = 2 * leaf + len(nibbles) % 2
    return bytes.fromhex(f"{flag:x}" + ("" if flag % 2 else "0") + nibbles)


class Trie:
    """A secure trie (keys hashed) over ``entries``: its root, and the nodes that prove a key or its absence."""

    def __init__(self, entries: dict[bytes, bytes]) -> None:
        items = sorted((keccak(key).hex(), value) for key, value in entries.items())
        self._top = self._node(items)
        self.root = keccak(rlp.encode(self._packed(self._top))) if items else EMPTY

    def _node(self, items: list[tuple[str, bytes]]) -> Any:
        if not items:
            return b""
        if len(items) == 1:
            return [hex_prefix(items[0][0], True), items[0][1]]
        first, last = items[0][0], items[-1][0]
        shared = "".join(a for a, _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=True)))
        if shared:
            return [hex_prefix(shared, False), self._node([(key[len(shared) :], value) for key, value in items])]
        return [self._node([(k[1:], v) for k, v in items if k[0] == f"{i:x}"]) for i in range(16)] + [b""]

    def _packed(self, node: Any) -> Any:
        """The node with its children as they are written: inline when shorter than a hash."""
        if not isinstance(node, list) or (len(node) == 2 and isinstance(node[1], bytes)):
            return node
        return [self._reference(child) if isinstance(child, list) else child for child in node]

    def _reference(self, node: Any) -> Any:
        packed = self._packed(node)
        encoded = rlp.encode(packed)
        return packed if len(encoded) < 32 else keccak(encoded)

    def proof(self, key: bytes) -> tuple[bytes, ...]:
        """Encoded nodes from the root towards ``key``, inline nodes left out, as eth_getProof gives them."""
        path, node, found = keccak(key).hex(), self._top, []
        while isinstance(node, list):
            encoded = rlp.encode(self._packed(node))
            if len(encoded) >= 32 or node is self._top:
                found.append(encoded)
            if len(node) == 17:
                node, path = node[int(path[0], 16)], path[1:]
            elif isinstance(node[1], bytes):
                break
            else:
                shared = node[0].hex()[1 if node[0][0] >> 4 & 1 else 2 :]
                if not path.startswith(shared):
                    break
                path, node = path[len(shared) :], node[1]
        return tuple(found)
