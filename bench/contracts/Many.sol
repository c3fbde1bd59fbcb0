// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Many calls in one transaction
/// @notice Fills a local chain with events quickly. Holds money only while it is used: never for a public chain.
contract Many {
    /// A call was refused, or there is nobody to call.
    error Refused(uint256 position, bytes reason);

    receive() external payable {}

    /// @param value Wei sent with each call.
    function run(address to, uint256 value, bytes[] calldata calls) external {
        for (uint256 i; i < calls.length; ++i) {
            (bool done, bytes memory reason) = to.call{value: value}(calls[i]);
            require(done && to.code.length != 0, Refused(i, reason));
        }
    }
}
