// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// A payer or payee that is a contract, and the ways in which it takes or refuses coin.
contract Party {
    enum Mode {
        Takes,
        Reverts,
        BurnsGas,
        ReturnsBomb,
        RevertsWithBomb,
        Reenters,
        Works,
        WorksHard
    }

    Mode public mode;
    address public target;
    bytes public data;
    bool public reentered;
    uint256[4] public work;

    receive() external payable {
        if (mode == Mode.Reverts) revert("no coin");
        if (mode == Mode.BurnsGas) while (true) {}
        if (mode == Mode.ReturnsBomb || mode == Mode.RevertsWithBomb) _explode(mode == Mode.ReturnsBomb);
        if (mode == Mode.Reenters) (reentered,) = target.call(data);
        if (mode == Mode.Works) _write(2); // about 45,000 gas
        if (mode == Mode.WorksHard) _write(4); // about 90,000 gas
    }

    function set(Mode mode_, address target_, bytes calldata data_) external {
        (mode, target, data) = (mode_, target_, data_);
    }

    /// Anyone may use it: it has no owner to protect.
    function execute(address to, uint256 value, bytes calldata call_, uint256 times) external payable {
        for (uint256 i = 0; i < times; ++i) {
            _run(to, value, call_);
        }
    }

    /// As `execute`, once, with exactly that much gas.
    function executeWith(uint256 gas_, address to, bytes calldata call_) external returns (bool done) {
        (done,) = to.call{gas: gas_}(call_);
    }

    function _run(address to, uint256 value, bytes calldata call_) internal {
        (bool ok, bytes memory answer) = to.call{value: value}(call_);
        if (!ok) {
            assembly {
                revert(add(answer, 32), mload(answer))
            }
        }
    }

    function _write(uint256 words) internal {
        for (uint256 i = 0; i < words; ++i) {
            work[i] = block.number;
        }
    }

    /// About as much data as the gas allows.
    function _explode(bool succeed) internal view {
        uint256 size = gasleft() * 2;
        assembly {
            if succeed { return(0, size) }
            revert(0, size)
        }
    }
}
