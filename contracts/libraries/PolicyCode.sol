// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Policy} from "../interfaces/IOracle.sol";

/// @title PolicyCode
/// @notice A policy as the code of a contract: STOP, then the ABI encoding of `Policy`.
library PolicyCode {
    /// Words of the encoding, counted from 0: a word with the offset, ten fields, a word with the seats' offset.
    uint256 internal constant FEE = 3;
    uint256 internal constant SLASH = 5;
    uint256 internal constant SUBMIT_TIME = 6;
    uint256 internal constant CHALLENGE_TIME = 7;
    uint256 internal constant K = 9;
    uint256 internal constant PASS = 10;
    uint256 internal constant SEATS = 12;

    /// @notice Code that, once created, has `code` as its own: PUSH2 length, copy what follows, return it.
    function initCode(bytes memory code) internal pure returns (bytes memory) {
        return abi.encodePacked(hex"61", uint16(code.length), hex"80600a3d393df3", code);
    }

    /// @notice The code of a policy.
    function encode(Policy calldata policy) internal pure returns (bytes memory) {
        return abi.encodePacked(hex"00", abi.encode(policy));
    }

    /// @notice The policy in its code. WARNING: the caller has checked that the code is a policy's.
    function decode(bytes memory code) internal pure returns (Policy memory) {
        bytes memory encoded = new bytes(code.length - 1);
        assembly ("memory-safe") {
            mcopy(add(encoded, 0x20), add(code, 0x21), mload(encoded))
        }
        return abi.decode(encoded, (Policy));
    }

    /// @notice One word of the encoding, without decoding the rest. WARNING: as {decode}.
    function word(bytes memory code, uint256 index) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mload(add(add(code, 0x21), mul(index, 0x20)))
        }
    }

    /// @notice The node of a seat that exists. WARNING: as {decode}.
    function nodeAt(bytes memory code, uint256 seat) internal pure returns (address) {
        return address(uint160(word(code, SEATS + 1 + 2 * seat)));
    }

    /// @notice Memory address of the first seat: two words each, node and model. WARNING: as {decode}.
    function seats(bytes memory code) internal pure returns (uint256 at) {
        assembly ("memory-safe") {
            at := add(code, add(0x21, mul(add(SEATS, 1), 0x20)))
        }
    }
}
