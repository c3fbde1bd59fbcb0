// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @notice What is known of a node. One storage slot.
struct Node {
    /// The only contract that may take the stake, named by the node itself; 0 for an address that never joined.
    address slasher;
    /// When the stake may be withdrawn; 0 while the node serves.
    uint40 leavesAt;
    /// Stake in gwei.
    uint56 stake;
}

/// @title OracleNodes
/// @notice Stake and encryption keys of the nodes. It knows no Oracle: each node names who may slash it.
///
/// | from \ to | out        | serving     | leaving   |
/// |-----------|------------|-------------|-----------|
/// | out       | –          | `join`      | forbidden |
/// | serving   | forbidden  | `join` (more stake, another encryption key; the slasher stays) | `leave` |
/// | leaving   | `withdraw`, after {UNBONDING} | forbidden | – |
///
/// @dev A node's key signs attestations: it lives in the node's process. The stake returns to that same key.
/// @dev WARNING: one stake answers for every policy the node serves. A slash takes what is left.
/// @dev WARNING: rewards leave at once, also those of a node that has itself slashed: a slash deters by what it burns.
/// @dev WARNING: nothing here tells two keys of one operator apart; whoever composes a committee must.
interface IOracleNodes {
    /// @notice `node` joined or added `added` wei; it now has `stake` wei. `encryptionKey`: X25519, 0 for none.
    event Joined(address indexed node, address indexed slasher, uint256 added, uint256 stake, bytes32 encryptionKey);
    /// @notice `node` serves no new request; its stake may be withdrawn at `withdrawableAt`.
    event Left(address indexed node, uint40 withdrawableAt);
    /// @notice `taken` wei of stake were taken from `node`: `reward` is the beneficiary's, the rest is burned.
    event Slashed(address indexed node, address indexed slasher, uint256 taken, address beneficiary, uint256 reward);
    /// @notice `account` took out `amount` wei of matured stake and rewards.
    event StakeWithdrawn(address indexed account, uint256 amount);

    /// @notice A stake is a whole number of gwei, below 2^56.
    error BadStake(uint256 amount);
    /// @notice At most half of a slash is a reward.
    error BadPart(uint256 part);
    /// @notice The slasher is 0 or the node itself.
    error BadSlasher(address slasher);
    /// @notice The node already answers to `slasher`: leave and withdraw first.
    error OtherSlasher(address slasher);
    /// @notice The node is leaving: withdraw at `withdrawableAt`, then join again.
    error Leaving(uint40 withdrawableAt);
    /// @notice `node` does not serve.
    error NotServing(address node);
    /// @notice There is nothing to withdraw now; a leaving node's stake matures at `withdrawableAt`.
    error NothingToWithdraw(uint40 withdrawableAt);
    /// @notice The recipient refused the payment.
    error PaymentRefused(address account, uint256 amount);

    /// @notice Serve under `slasher` with the stake sent along, or add to it and change the encryption key.
    function join(address slasher, bytes32 encryptionKey) external payable;

    /// @notice Serve no new request; the stake matures after {UNBONDING}.
    function leave() external;

    /// @notice Pays the sender its rewards and, once matured, its stake.
    function withdraw() external;

    /// @notice Takes `amount` wei, or what is left, from `node`: one part in `part` becomes `beneficiary`'s reward, the
    /// rest is burned.
    /// @return taken In wei; 0, without an effect, when the node does not answer to the sender.
    function slash(address node, uint256 amount, address beneficiary, uint256 part) external returns (uint256 taken);

    /// @notice Seconds between leaving and withdrawing: 14 days.
    function UNBONDING() external view returns (uint40);

    /// @notice The stored record of a node.
    function nodeOf(address node) external view returns (Node memory);

    /// @notice X25519 key for what only this node may read; 0 for none.
    function encryptionKeyOf(address node) external view returns (bytes32);

    /// @notice Wei that slashes brought `account` and that it has not withdrawn.
    function rewardOf(address account) external view returns (uint256);

    /// @notice Which of `nodes` do not serve under `slasher` with at least `stake` wei: bit i for nodes[i], i < 32.
    function unfit(address[] calldata nodes, address slasher, uint256 stake) external view returns (uint32);
}
