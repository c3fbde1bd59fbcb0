// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";
import {IOracle, Policy} from "../interfaces/IOracle.sol";

/// @title PolicyCode
/// @notice A policy as the code of a contract: STOP, then the ABI encoding of `Policy`.
library PolicyCode {
    uint256 internal constant MAX_SEATS = 32;

    /// Words of the encoding, counted from 0: a word with the offset, ten fields, a word with the seats' offset.
    uint256 internal constant FEE = 3;
    uint256 internal constant SLASH = 5;
    uint256 internal constant SUBMIT_TIME = 6;
    uint256 internal constant CHALLENGE_TIME = 7;
    uint256 internal constant K = 9;
    uint256 internal constant PASS = 10;
    uint256 internal constant SEATS = 12;

    /// @notice Reverts unless the policy can be served. `limit`: seconds that all its times together may take.
    function requireSound(Policy calldata policy, uint256 limit) internal view {
        uint256 count = policy.seats.length;
        bool quorum = count <= MAX_SEATS && policy.k <= count && 2 * uint256(policy.k) > count;
        require(quorum, IOracle.BadQuorum(count, policy.k));
        require(policy.passScore != 0 && policy.passScore <= 100, IOracle.BadPassScore(policy.passScore));
        requireTimes(policy, limit);
        require(policy.arbiter == address(0) || policy.arbiter.code.length != 0, IOracle.NoArbiter());
        address last = address(0);
        for (uint256 seat = 0; seat < count; ++seat) {
            require(policy.seats[seat].node > last, IOracle.NotAscending(policy.seats[seat].node));
            last = policy.seats[seat].node;
        }
    }

    function requireTimes(Policy calldata policy, uint256 limit) private pure {
        uint256 total = uint256(policy.submitTime) + policy.challengeTime + policy.rulingTime;
        bool times = policy.arbiter == address(0)
            ? policy.rulingTime == 0 && policy.bond == 0
            : policy.challengeTime != 0 && policy.rulingTime != 0;
        require(times && policy.submitTime != 0 && total <= limit, IOracle.BadTimes(total, limit));
    }

    /// @notice Code that, once created, has `code` as its own: PUSH2 length, copy what follows, return it.
    function initCode(bytes memory code) internal pure returns (bytes memory) {
        return abi.encodePacked(hex"61", uint16(code.length), hex"80600a3d393df3", code);
    }

    /// @notice Whether this contract created `code` at `policy`.
    function isPolicy(address policy, bytes memory code) internal view returns (bool) {
        return code.length != 0 && policy == Create2.computeAddress(0, keccak256(initCode(code)));
    }

    /// @notice The code of a policy that this contract created; reverts UnknownPolicy.
    function read(address policy) internal view returns (bytes memory code) {
        code = policy.code;
        require(isPolicy(policy, code), IOracle.UnknownPolicy(policy));
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

    /// @notice The nodes of all seats. WARNING: as {decode}.
    function nodes(bytes memory code) internal pure returns (address[] memory found) {
        found = new address[](word(code, SEATS));
        for (uint256 seat = 0; seat < found.length; ++seat) {
            found[seat] = address(uint160(word(code, SEATS + 1 + 2 * seat)));
        }
    }

    /// @notice Memory address of the first seat: two words each, node and model. WARNING: as {decode}.
    function seats(bytes memory code) internal pure returns (uint256 at) {
        assembly ("memory-safe") {
            at := add(code, add(0x21, mul(add(SEATS, 1), 0x20)))
        }
    }
}
