// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TestToken} from "./TestToken.sol";

/// Moves money and returns nothing.
contract NoReturnToken is TestToken {
    function _move(address from, address to, uint256 amount) internal override {
        super._move(from, to, amount);
        // Nothing is left to do in `transfer` and `transferFrom` but to return true.
        assembly {
            return(0, 0)
        }
    }
}
