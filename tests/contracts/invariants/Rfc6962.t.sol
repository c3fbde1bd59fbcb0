// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Rfc6962} from "../../../contracts/libraries/Rfc6962.sol";
import {Base} from "./Base.sol";

/// Gives the internal library an address.
contract Tree {
    function hashLeaf(bytes32 data) external pure returns (bytes32) {
        return Rfc6962.hashLeaf(data);
    }

    function rootOf(bytes32 leaf, uint64 index, uint64 size, bytes32[] calldata path) external pure returns (bytes32) {
        return Rfc6962.rootOf(leaf, index, size, path);
    }
}

/// T1 to T5 of README.md.
contract Rfc6962Test is Base {
    Tree internal tree = new Tree();

    function _path(bytes32 seed, uint256 length) internal pure returns (bytes32[] memory path) {
        path = new bytes32[](length);
        for (uint256 i = 0; i < length; ++i) {
            path[i] = keccak256(abi.encode(seed, i));
        }
    }

    function _refuses(bytes32 leaf, uint64 index, uint64 size, bytes32[] memory path) internal {
        VM.expectRevert(abi.encodeWithSelector(Rfc6962.InvalidPath.selector, index, size, path.length));
        tree.rootOf(leaf, index, size, path);
    }

    function testFuzz_T1_same_root_as_the_recursion(bytes32 leaf, uint64 index, uint64 size, uint8 shift) public view {
        size = (size >> (shift % 64)) | 1;
        index %= size;
        bytes32[] memory path = _path(leaf, _depth(index, size));
        assert(tree.rootOf(leaf, index, size, path) == _naiveRoot(leaf, index, size, path, path.length));
    }

    function testFuzz_T1_even_sizes(bytes32 leaf, uint64 index, uint64 size, uint8 shift) public view {
        size = (size >> (shift % 63)) & ~uint64(1);
        if (size == 0) size = 2;
        index %= size;
        bytes32[] memory path = _path(leaf, _depth(index, size));
        assert(tree.rootOf(leaf, index, size, path) == _naiveRoot(leaf, index, size, path, path.length));
    }

    function test_T1_largest_tree() public view {
        uint64 size = type(uint64).max;
        uint64[5] memory indices = [uint64(0), 1, size / 2, size - 2, size - 1];
        for (uint256 i = 0; i < indices.length; ++i) {
            bytes32[] memory path = _path(bytes32(i), _depth(indices[i], size));
            assert(path.length == 64 || indices[i] >= size - 2);
            assert(tree.rootOf(0, indices[i], size, path) == _naiveRoot(0, indices[i], size, path, path.length));
        }
    }

    function testFuzz_T2_every_leaf_of_a_real_tree(bytes32 seed, uint8 many) public view {
        uint64 size = uint64(many) % 40 + 1;
        bytes32[] memory leaves = _path(seed, size);
        bytes32 root = _treeHash(leaves, 0, size);
        for (uint64 index = 0; index < size; ++index) {
            assert(tree.rootOf(leaves[index], index, size, _pathIn(leaves, index)) == root);
        }
    }

    /// PATH of RFC 6962 §2.1.1, written as a walk from the root down.
    function _pathIn(bytes32[] memory leaves, uint64 index) internal pure returns (bytes32[] memory path) {
        path = new bytes32[](_depth(index, uint64(leaves.length)));
        (uint256 from, uint256 to) = (0, leaves.length);
        for (uint256 i = path.length; i > 0; --i) {
            uint256 middle = from + _split(uint64(to - from));
            path[i - 1] = index < middle ? _treeHash(leaves, middle, to) : _treeHash(leaves, from, middle);
            (from, to) = index < middle ? (from, middle) : (middle, to);
        }
    }

    function testFuzz_T3_wrong_length_is_refused(bytes32 leaf, uint64 index, uint64 size, uint8 length) public {
        size = size == 0 ? 1 : size;
        index %= size;
        if (length == _depth(index, size)) ++length;
        _refuses(leaf, index, size, _path(leaf, length));
    }

    function testFuzz_T3_index_outside_is_refused(bytes32 leaf, uint64 index, uint64 size, uint8 length) public {
        if (index < size) (index, size) = (size, index);
        _refuses(leaf, index, size, _path(leaf, length));
    }

    function testFuzz_T4_one_changed_word_changes_the_root(
        bytes32 leaf,
        uint64 index,
        uint16 size,
        uint8 node,
        bytes32 flip
    ) public view {
        if (flip == 0) flip = bytes32(uint256(1));
        size = size == 0 ? 1 : size;
        index %= size;
        bytes32[] memory path = _path(leaf, _depth(index, size));
        bytes32 root = tree.rootOf(leaf, index, size, path);
        if (path.length > 0) {
            path[node % path.length] ^= flip;
            assert(tree.rootOf(leaf, index, size, path) != root);
            path[node % path.length] ^= flip;
        }
        assert(tree.rootOf(leaf ^ flip, index, size, path) != root);
    }

    function testFuzz_T5_a_node_is_not_a_leaf(bytes32 left, bytes32 right) public view {
        bytes32[] memory path = new bytes32[](1);
        path[0] = tree.hashLeaf(right);
        bytes32 node = tree.rootOf(tree.hashLeaf(left), 0, 2, path);
        assert(node != tree.hashLeaf(left) && node != tree.hashLeaf(node));
        assert(tree.hashLeaf(left) == _hashLeaf(left));
    }
}
