// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FeeToken} from "./FeeToken.sol";

/// Calls the sender before anything moves, as ERC-777 does. It may also forget to move, and lie that it did.
contract HookToken is FeeToken {
    address public hooked;
    bytes public hook;
    bool public forgetful;
    bool public hookSucceeded;

    /// The next time `from` sends, it is called with `data` first.
    function setHook(address from, bytes calldata data, bool isForgetful) external {
        (hooked, hook, forgetful) = (from, data, isForgetful);
    }

    function _move(address from, address to, uint256 amount) internal override {
        if (from != hooked) return super._move(from, to, amount);
        hooked = address(0);
        (hookSucceeded,) = from.call(hook);
        if (!forgetful) super._move(from, to, amount);
    }
}
