// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @title IArbitrator
/// @notice What we ask of an arbiter (ERC-792).
interface IArbitrator {
    /// @notice Opens a dispute with `choices` rulings (0 is always "refused"), paid with {arbitrationCost}.
    function createDispute(uint256 choices, bytes calldata extraData) external payable returns (uint256 disputeId);

    /// @notice Wei that a dispute costs now.
    function arbitrationCost(bytes calldata extraData) external view returns (uint256);
}

/// @title IArbitrable
/// @notice What an arbiter calls (ERC-792).
interface IArbitrable {
    /// @notice The arbiter gave `ruling`; whether it came in time to count, the contract's state says.
    event Ruling(IArbitrator indexed arbitrator, uint256 indexed disputeId, uint256 ruling);

    /// @notice Gives a ruling. Only the arbiter that was asked.
    function rule(uint256 disputeId, uint256 ruling) external;
}
