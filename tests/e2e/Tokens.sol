// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Arbiter} from "../contracts/mocks/Arbiter.sol";
import {FeeToken} from "../contracts/mocks/FeeToken.sol";
import {TestToken} from "../contracts/mocks/TestToken.sol";

/// A token that people can count, and whose allowances change only from or to zero, as some stablecoins' do.
contract Dollar {
    uint8 public constant decimals = 6;
    string public constant symbol = "USD\x1b[2J and more";
    mapping(address account => uint256) public balanceOf;
    mapping(address owner => mapping(address spender => uint256)) public allowance;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        require(amount == 0 || allowance[msg.sender][spender] == 0, "reset it first");
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        return _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        allowance[from][msg.sender] -= amount;
        return _move(from, to, amount);
    }

    function _move(address from, address to, uint256 amount) internal returns (bool) {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        return true;
    }
}

/// Takes a fee on each transfer.
contract FeeDollar is FeeToken {
    uint8 public constant decimals = 6;
    bytes32 public constant symbol = "FEE";
}

/// Does not say its decimals.
contract Uncounted is TestToken {}

/// Rules for a price.
contract Court is Arbiter {
    constructor() Arbiter(1000) {}
}
