// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Payments
/// @notice Payments that cannot be used against whoever makes them: return data is not copied, and {push} caps the gas.
/// @dev The zero address stands for the chain's native coin.
library Payments {
    uint256 internal constant NATIVE_GAS = 50_000;
    uint256 internal constant TOKEN_GAS = 250_000;

    /// @notice Send more gas along: with less, whoever calls could make a payment fail on purpose.
    error TooLittleGas(uint256 left, uint256 needed);

    /// @notice Whether `to` got `amount` of `token`, within a cap on gas: nobody holds up the payment of others.
    function push(address token, address to, uint256 amount) internal returns (bool) {
        if (amount == 0) return true;
        uint256 cap = token == address(0) ? NATIVE_GAS : TOKEN_GAS;
        // 64/63 of the cap (EIP-150), and what the call itself costs.
        uint256 needed = cap + cap / 63 + 40_000;
        require(gasleft() >= needed, TooLittleGas(gasleft(), needed));
        return _pay(token, to, amount, cap);
    }

    /// @notice The same with all the gas there is. WARNING: only where nobody else waits, and nothing follows.
    function pay(address token, address to, uint256 amount) internal returns (bool) {
        return _pay(token, to, amount, gasleft());
    }

    /// ERC-20 `transfer` succeeds with true, or with nothing from a token that returns nothing.
    function _pay(address token, address to, uint256 amount, uint256 cap) private returns (bool paid) {
        if (token == address(0)) {
            assembly ("memory-safe") {
                paid := call(cap, to, amount, 0, 0, 0, 0)
            }
            return paid;
        }
        bytes memory data = abi.encodeWithSignature("transfer(address,uint256)", to, amount);
        assembly ("memory-safe") {
            mstore(0, 0)
            paid := call(cap, token, 0, add(data, 0x20), mload(data), 0, 0x20)
            switch returndatasize()
            case 0 { paid := and(paid, gt(extcodesize(token), 0)) }
            default { paid := and(paid, eq(mload(0), 1)) }
        }
    }
}
