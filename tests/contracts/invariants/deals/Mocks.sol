// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IArbitrator} from "../../../../contracts/interfaces/IArbitration.sol";

/// ERC-20 whose transfers to a blocked account return false.
contract Token {
    mapping(address account => uint256) public balanceOf;
    mapping(address account => mapping(address spender => uint256)) public allowance;
    mapping(address account => bool) public blocked;

    /// Of many accounts at once: the invariants ask after every step.
    function balancesOf(address[] calldata accounts) external view returns (uint256[] memory balances) {
        balances = new uint256[](accounts.length);
        for (uint256 i = 0; i < accounts.length; ++i) {
            balances[i] = balanceOf[accounts[i]];
        }
    }

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function setBlocked(address account, bool on) external {
        blocked[account] = on;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        if (blocked[to]) return false;
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        allowance[from][msg.sender] -= amount;
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        return true;
    }
}

/// Knows the call that is being made.
interface IDirector {
    function pending() external view returns (address target, bytes memory data);
}

/// An account with code: refuses coin when told so, sends the pending call again whenever it gets coin, and takes for
/// its signature what its owner signs (ERC-1271).
contract Party {
    address internal immutable OWNER;
    IDirector internal immutable DIRECTOR;

    bool public refuses;
    /// Whose verb succeeded a second time, from within itself.
    address public transient reentered;

    constructor(address owner, IDirector director) {
        OWNER = owner;
        DIRECTOR = director;
    }

    function setRefuses(bool on) external {
        refuses = on;
    }

    receive() external payable {
        require(!refuses);
        (address target, bytes memory data) = DIRECTOR.pending();
        if (target == address(0)) return;
        // Keeps enough gas to take the coin even when the second call burns all of its own.
        (bool again,) = target.call{gas: gasleft() - 2_000}(data);
        if (again) reentered = target;
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        (bytes32 r, bytes32 s) = abi.decode(signature[:64], (bytes32, bytes32));
        bool signed = ecrecover(digest, uint8(signature[64]), r, s) == OWNER;
        return signed ? this.isValidSignature.selector : bytes4(0);
    }
}

/// ERC-792 arbiter that may give a dispute number twice. The world rules in its name.
contract Arbiter is IArbitrator {
    uint256 public constant COST = 3 gwei;

    uint256 public disputes;
    bool public repeats;

    function setRepeats(bool on) external {
        repeats = on;
    }

    function arbitrationCost(bytes calldata) external pure returns (uint256) {
        return COST;
    }

    function createDispute(uint256, bytes calldata) external payable returns (uint256) {
        require(msg.value == COST);
        if (!repeats) ++disputes;
        return disputes;
    }
}
