"""RFC 6962: the published trees, the project's vectors, and what must never verify."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.errors import InputError
from countersign.merkle import PAGE, MerkleTree, hash_leaf, hash_node, joined, pages, root_of
from countersign.records import Path

leaves = st.lists(st.binary(max_size=40), min_size=1, max_size=70, unique=True)


def raw(texts: list[str]) -> list[bytes]:
    return [bytes.fromhex(text[2:]) for text in texts]


def check_tree(tree: MerkleTree, recorded: dict[str, Any]) -> None:
    assert (tree.size, "0x" + tree.root.hex()) == (recorded["size"], recorded["root"])
    for proven in recorded["paths"]:
        path = tree.path(proven["index"])
        assert list(path.hashes) == raw(proven["hashes"])
        assert root_of(*raw([proven["leaf"]]), path) == tree.root


def test_the_trees_of_certificate_transparency(vectors: Any) -> None:
    recorded = vectors("rfc6962")
    data = raw(recorded["leaves"])
    for tree in recorded["trees"]:
        check_tree(MerkleTree(data[: tree["size"]]), tree)


def test_the_projects_trees(vectors: Any) -> None:
    from hashlib import sha256

    recorded = vectors("merkle")
    items = [sha256(index.to_bytes(8, "big")).digest() for index in range(1000)]
    for tree in recorded["trees"]:
        check_tree(MerkleTree(items[: tree["size"]]), tree)


def test_openings_that_must_be_refused(vectors: Any) -> None:
    for case in vectors("merkle")["refused"]:
        leaf, root = raw([case["leaf"], case["root"]])
        proven = root_of(leaf, Path(case["index"], case["size"], tuple(raw(case["hashes"]))))
        assert proven != root, case["what"]
        assert (proven is not None) == case["fits"], case["what"]


@given(leaves, st.data())
def test_every_path_proves_its_leaf_and_no_other(data: list[bytes], draw: st.DataObject) -> None:
    tree = MerkleTree(data)
    index = draw.draw(st.integers(0, len(data) - 1))
    path, leaf = tree.path(index), hash_leaf(data[index])
    assert root_of(leaf, path) == tree.root
    assert root_of(hash_leaf(data[index] + b"x"), path) != tree.root
    for other in {0, index - 1, index + 1, len(data) - 1, len(data)} - {index}:
        assert root_of(leaf, replace(path, index=other)) != tree.root
    for hashes in (path.hashes[1:], path.hashes[:-1], (*path.hashes, bytes(32)), (bytes(32), *path.hashes)):
        if hashes != path.hashes:
            assert root_of(leaf, replace(path, hashes=hashes)) != tree.root
    if path.hashes:
        at = draw.draw(st.integers(0, len(path.hashes) - 1))
        wrong = bytes([path.hashes[at][0] ^ 1]) + path.hashes[at][1:]
        changed = (*path.hashes[:at], wrong, *path.hashes[at + 1 :])
        assert root_of(leaf, replace(path, hashes=changed)) != tree.root


@given(st.integers(0, 2**64), st.integers(0, 2**64), st.lists(st.binary(min_size=32, max_size=32), max_size=70))
def test_any_numbers_are_answered(index: int, size: int, hashes: list[bytes]) -> None:
    root = root_of(bytes(32), Path(index, size, tuple(hashes)))
    assert root is None or (index < size and len(root) == 32)


def test_an_inner_node_is_no_leaf() -> None:
    left, right = hash_leaf(b"a"), hash_leaf(b"b")
    tree = MerkleTree([b"a", b"b"])
    assert tree.root == hash_node(left, right)
    assert hash_leaf(left + right) != tree.root


def test_no_leaves_and_no_such_leaf_are_refused() -> None:
    with pytest.raises(InputError, match="at least one leaf"):
        MerkleTree([])
    for index in (-1, 2):
        with pytest.raises(InputError, match="tree of 2"):
            MerkleTree([b"a", b"b"]).path(index)


@given(st.integers(1, 3 * PAGE + 5), st.data())
def test_a_tree_made_of_pages_is_the_tree(size: int, draw: st.DataObject) -> None:
    data = [index.to_bytes(4, "big") for index in range(size)]
    tree, made = MerkleTree(data), list(pages(data))
    assert all(len(page) == 32 * PAGE for page in made[:-1])
    lower = [MerkleTree.over(page) for page in made]
    upper = MerkleTree.over(b"".join(page.root for page in lower))
    assert upper.root == tree.root
    index = draw.draw(st.integers(0, size - 1))
    number, within = divmod(index, PAGE)
    assert joined(lower[number].path(within), upper.path(number), size) == tree.path(index)
