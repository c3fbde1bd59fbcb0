// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IOracleNodes, Node} from "./interfaces/IOracleNodes.sol";

/// @title OracleNodes
/// @notice See IOracleNodes.
contract OracleNodes is IOracleNodes {
    /// @inheritdoc IOracleNodes
    uint40 public constant UNBONDING = 14 days;

    address internal constant BURN = 0x000000000000000000000000000000000000dEaD;

    mapping(address node => Node) internal _nodes;
    mapping(address node => bytes32) internal _encryptionKeys;
    mapping(address account => uint256) internal _rewards;

    /* VERBS */

    /// @inheritdoc IOracleNodes
    function join(address slasher, bytes32 encryptionKey) external payable {
        Node memory node = _nodes[msg.sender];
        require(slasher != address(0) && slasher != msg.sender, BadSlasher(slasher));
        require(node.slasher == address(0) || node.slasher == slasher, OtherSlasher(node.slasher));
        require(node.leavesAt == 0, Leaving(node.leavesAt));

        node.slasher = slasher;
        node.stake += _gwei(msg.value);
        _nodes[msg.sender] = node;
        _encryptionKeys[msg.sender] = encryptionKey;
        emit Joined(msg.sender, slasher, msg.value, _wei(node.stake), encryptionKey);
    }

    /// @inheritdoc IOracleNodes
    function leave() external {
        Node storage node = _nodes[msg.sender];
        require(node.slasher != address(0), NotServing(msg.sender));
        require(node.leavesAt == 0, Leaving(node.leavesAt));

        node.leavesAt = uint40(block.timestamp) + UNBONDING;
        emit Left(msg.sender, node.leavesAt);
    }

    /// @inheritdoc IOracleNodes
    function withdraw() external {
        Node memory node = _nodes[msg.sender];
        bool matured = node.leavesAt != 0 && block.timestamp >= node.leavesAt;
        uint256 amount = _rewards[msg.sender] + (matured ? _wei(node.stake) : 0);
        require(matured || amount != 0, NothingToWithdraw(node.leavesAt));

        delete _rewards[msg.sender];
        if (matured) delete _nodes[msg.sender];
        emit StakeWithdrawn(msg.sender, amount);

        (bool paid,) = msg.sender.call{value: amount}("");
        require(paid, PaymentRefused(msg.sender, amount));
    }

    /// @inheritdoc IOracleNodes
    function slash(address node, uint256 amount, address beneficiary, uint256 part) external returns (uint256 taken) {
        Node storage record = _nodes[node];
        if (record.slasher != msg.sender) return 0;
        uint256 stake = _wei(record.stake);
        taken = amount < stake ? amount - (amount % 1 gwei) : stake;
        require(part >= 2, BadPart(part));
        uint256 reward = taken / part;

        record.stake -= _gwei(taken);
        _rewards[beneficiary] += reward;
        emit Slashed(node, msg.sender, taken, beneficiary, reward);

        // Burning cannot fail: no code lies there, and no key is known.
        (bool burned,) = BURN.call{value: taken - reward}("");
        require(burned, PaymentRefused(BURN, taken - reward));
    }

    /* VIEWS */

    /// @inheritdoc IOracleNodes
    function nodeOf(address node) external view returns (Node memory) {
        return _nodes[node];
    }

    /// @inheritdoc IOracleNodes
    function encryptionKeyOf(address node) external view returns (bytes32) {
        return _encryptionKeys[node];
    }

    /// @inheritdoc IOracleNodes
    function rewardOf(address account) external view returns (uint256) {
        return _rewards[account];
    }

    /// @inheritdoc IOracleNodes
    function unfit(address[] calldata nodes, address slasher, uint256 stake) external view returns (uint32 seats) {
        for (uint256 i = 0; i < nodes.length; ++i) {
            Node memory node = _nodes[nodes[i]];
            bool fit = node.slasher == slasher && node.leavesAt == 0 && _wei(node.stake) >= stake;
            if (!fit) seats |= uint32(1 << i);
        }
    }

    /* INTERNAL */

    function _gwei(uint256 amount) internal pure returns (uint56) {
        require(amount % 1 gwei == 0 && amount / 1 gwei <= type(uint56).max, BadStake(amount));
        return uint56(amount / 1 gwei);
    }

    function _wei(uint56 stake) internal pure returns (uint256) {
        return uint256(stake) * 1 gwei;
    }
}
