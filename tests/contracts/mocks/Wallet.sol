// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// An ERC-1271 wallet of one owner, and the ways in which a wallet misbehaves.
contract Wallet {
    enum Mode {
        Honest,
        WrongAnswer,
        ShortAnswer,
        Reverts,
        Reenters,
        BurnsGas
    }

    address internal immutable OWNER;
    Mode public mode;

    constructor(address owner) {
        OWNER = owner;
    }

    function set(Mode mode_) external {
        mode = mode_;
    }

    function execute(address target, bytes calldata data) external returns (bytes memory) {
        require(msg.sender == OWNER, "not the owner");
        (bool ok, bytes memory answer) = target.call(data);
        if (!ok) {
            assembly {
                revert(add(answer, 32), mload(answer))
            }
        }
        return answer;
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external returns (bytes4) {
        if (mode == Mode.Reverts) revert("no");
        if (mode == Mode.WrongAnswer) return 0xffffffff;
        if (mode == Mode.BurnsGas) while (true) {}
        if (mode == Mode.ShortAnswer) {
            assembly {
                mstore(0, shl(224, 0x1626ba7e))
                return(0, 4)
            }
        }
        if (mode == Mode.Reenters) {
            (bool ok,) = msg.sender.call(abi.encodeWithSignature("seal(bytes32)", digest));
            require(ok, "static");
        }
        (bytes32 r, bytes32 s) = (bytes32(signature[:32]), bytes32(signature[32:64]));
        return ecrecover(digest, uint8(signature[64]), r, s) == OWNER ? bytes4(0x1626ba7e) : bytes4(0);
    }
}
