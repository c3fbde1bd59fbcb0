// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Rfc6962
/// @notice The one Merkle tree of the project: SHA-256, leaf prefix 0x00, node prefix 0x01 (RFC 6962 §2.1, RFC 9162 §2.1).
/// @dev The prefixes keep a node from posing as a leaf. A leaf may verify at two indices in trees of different size:
/// never use an index as an identifier.
library Rfc6962 {
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
    /// @return root The proven root, or 0 when the path's length does not fit index and size.
    function rootOf(bytes32 leaf, uint64 index, uint64 size, bytes32[] calldata path)
        internal
        pure
        returns (bytes32 root)
    {
        if (index >= size) return 0;
        uint256 fn = index;
        uint256 sn = size - 1;
        root = leaf;
        for (uint256 i = 0; i < path.length; ++i) {
            if (sn == 0) return 0;
            if (fn & 1 == 1 || fn == sn) {
                root = hashNode(path[i], root);
                while (fn & 1 == 0 && fn != 0) (fn, sn) = (fn >> 1, sn >> 1);
            } else {
                root = hashNode(root, path[i]);
            }
            (fn, sn) = (fn >> 1, sn >> 1);
        }
        if (sn != 0) return 0;
    }
}
