// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Gives its coin to whom it does not ask.
contract Forcer {
    constructor(address payable victim) payable {
        selfdestruct(victim);
    }
}
