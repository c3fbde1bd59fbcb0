// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// The cheatcodes that halmos shares with forge.
interface ProofVm {
    function assume(bool condition) external pure;
    function prank(address sender) external;
    function warp(uint256 time) external;
}

/// Those of halmos alone: values that stand for every value.
interface SymbolicVm {
    function createUint256(string calldata name) external returns (uint256);
    function createBytes32(string calldata name) external returns (bytes32);
    function createAddress(string calldata name) external returns (address);
    function createBytes(uint256 size, string calldata name) external returns (bytes memory);
    function enableSymbolicStorage(address account) external;
}

/// What all proofs share. halmos runs every function named `check_…` once for all its arguments at a time; an assertion
/// that fails for any of them is a counterexample, and so is a path that halmos cannot follow.
abstract contract Proof {
    ProofVm internal constant VM = ProofVm(address(uint160(uint256(keccak256("hevm cheat code")))));
    SymbolicVm internal constant SVM = SymbolicVm(address(uint160(uint256(keccak256("svm cheat code")))));

    uint256 internal constant LAST_TIME = type(uint40).max;

    /// The block's time is any that fits the 40 bits of the contracts' records.
    function _atAnyTime() internal {
        uint256 time = SVM.createUint256("time");
        VM.assume(time != 0 && time <= LAST_TIME);
        VM.warp(time);
    }

    /// Anyone calls `where`. `gas` is not modelled: a call fails for a reason, never for lack of gas.
    function _byAnyone(address where, bytes memory data) internal returns (bool ok, bytes memory answer) {
        return _by(SVM.createAddress("sender"), where, data);
    }

    function _by(address sender, address where, bytes memory data) internal returns (bool ok, bytes memory answer) {
        VM.assume(sender != address(0));
        VM.prank(sender);
        (ok, answer) = where.call(data);
    }
}
