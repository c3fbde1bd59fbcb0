// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Rfc6962
/// @notice The one Merkle tree of the project: SHA-256, leaf prefix 0x00, node prefix 0x01 (RFC 6962 §2.1, RFC 9162 §2.1).
/// @dev The prefixes keep a node from posing as a leaf. A leaf may verify at two indices in trees of different size:
/// never use an index as an identifier.
library Rfc6962 {
    /// @notice The path's length does not fit its index and size: it proves nothing.
    error InvalidPath(uint64 index, uint64 size, uint256 length);

    /// @notice SHA-256(0x00 ‖ data).
    function hashLeaf(bytes32 data) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x00), data));
    }

    /// @notice SHA-256(0x01 ‖ left ‖ right).
    function hashNode(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x01), left, right));
    }

    /// @notice The root that `path` proves for `leaf` at `index` of a tree with `size` leaves (RFC 9162 §2.1.3.2).
    /// @param leaf The leaf hash, not its data.
    /// @dev Reverts instead of returning a value for a path that fits no tree: a sealed 0 must open nothing.
    function rootOf(bytes32 leaf, uint64 index, uint64 size, bytes32[] calldata path)
        internal
        pure
        returns (bytes32 root)
    {
        require(index < size, InvalidPath(index, size, path.length));
        uint256 fn = index;
        uint256 sn = size - 1;
        root = leaf;
        for (uint256 i = 0; i < path.length; ++i) {
            require(sn != 0, InvalidPath(index, size, path.length));
            if (fn & 1 == 1 || fn == sn) {
                root = hashNode(path[i], root);
                while (fn & 1 == 0 && fn != 0) (fn, sn) = (fn >> 1, sn >> 1);
            } else {
                root = hashNode(root, path[i]);
            }
            (fn, sn) = (fn >> 1, sn >> 1);
        }
        require(sn == 0, InvalidPath(index, size, path.length));
    }
}
