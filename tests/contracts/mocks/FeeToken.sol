// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TestToken} from "./TestToken.sol";

/// Burns a hundredth of everything that moves, except for exempt senders.
contract FeeToken is TestToken {
    mapping(address account => bool) public exempt;

    function excuse(address account, bool isExempt) external {
        exempt[account] = isExempt;
    }

    function _move(address from, address to, uint256 amount) internal virtual override {
        super._move(from, to, amount);
        if (!exempt[from]) balanceOf[to] -= amount / 100;
    }
}
