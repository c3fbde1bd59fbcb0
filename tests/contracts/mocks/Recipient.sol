// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Does what its owner says, and the ways in which a recipient takes coin.
contract Recipient {
    enum Mode {
        Accepts,
        Refuses,
        BurnsGas,
        Reenters
    }

    address internal immutable OWNER = msg.sender;
    Mode public mode;
    address internal _target;
    /// What a re-entering recipient calls.
    bytes internal _reentry;

    function set(Mode mode_, address target, bytes calldata reentry) external {
        (mode, _target, _reentry) = (mode_, target, reentry);
    }

    function execute(address target, bytes calldata data) external payable returns (bytes memory) {
        require(msg.sender == OWNER, "not the owner");
        (bool ok, bytes memory answer) = target.call{value: msg.value}(data);
        if (!ok) {
            assembly {
                revert(add(answer, 32), mload(answer))
            }
        }
        return answer;
    }

    receive() external payable {
        if (mode == Mode.Refuses) revert("no, thank you");
        if (mode == Mode.BurnsGas) while (true) {}
        if (mode == Mode.Reenters) {
            (bool ok,) = _target.call(_reentry);
            ok; // refused or not: what it brought is what counts
        }
    }
}
