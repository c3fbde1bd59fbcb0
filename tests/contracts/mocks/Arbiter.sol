// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

interface IRuled {
    function rule(uint256 disputeId, uint256 ruling) external;
}

/// An ERC-792 arbiter whose owner rules, and the ways in which an arbiter misbehaves.
contract Arbiter {
    enum Mode {
        Honest,
        RepeatsNumber,
        Reverts,
        Reenters
    }

    address internal immutable OWNER = msg.sender;
    uint256 public immutable COST;
    Mode public mode;
    uint256 public disputes;
    mapping(uint256 disputeId => IRuled) public arbitrables;
    /// What a re-entering arbiter calls, and what came of it.
    bytes internal _reentry;
    bool public reentered;
    bytes public answer;

    constructor(uint256 cost) payable {
        COST = cost;
    }

    function set(Mode mode_, bytes calldata reentry) external {
        (mode, _reentry) = (mode_, reentry);
    }

    function arbitrationCost(bytes calldata) external view returns (uint256) {
        return COST;
    }

    function createDispute(uint256 choices, bytes calldata) external payable returns (uint256 disputeId) {
        require(msg.value == COST && choices == 3, "not asked properly");
        if (mode == Mode.Reverts) revert("no");
        if (mode == Mode.Reenters) (reentered, answer) = msg.sender.call(_reentry);
        disputeId = mode == Mode.RepeatsNumber ? disputes : ++disputes;
        arbitrables[disputeId] = IRuled(msg.sender);
    }

    function give(uint256 disputeId, uint256 ruling) external {
        require(msg.sender == OWNER, "not the owner");
        arbitrables[disputeId].rule(disputeId, ruling);
    }
}
