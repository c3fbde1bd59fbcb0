// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IArbitrator} from "../interfaces/IArbitration.sol";

/// @title Disputes
/// @notice Asks an ERC-792 arbiter, and knows its disputes again.
library Disputes {
    /// @notice What an arbiter may rule, besides 0 for "refused".
    uint256 internal constant RULINGS = 3;

    /// @notice Wei that a dispute costs now.
    function costOf(address arbiter) internal view returns (uint256) {
        return IArbitrator(arbiter).arbitrationCost("");
    }

    /// @notice Opens a dispute for `cost`. WARNING: an arbiter may name a dispute twice: the caller refuses known keys.
    function open(address arbiter, uint256 cost) internal returns (uint256 disputeId, bytes32 key) {
        disputeId = IArbitrator(arbiter).createDispute{value: cost}(RULINGS, "");
        key = keyOf(arbiter, disputeId);
    }

    /// @notice A dispute among those of all arbiters.
    function keyOf(address arbiter, uint256 disputeId) internal pure returns (bytes32) {
        return keccak256(abi.encode(arbiter, disputeId));
    }
}
