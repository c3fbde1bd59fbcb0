// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @notice What a verdict says.
enum Outcome {
    None,
    Pass,
    Fail,
    Void
}

/// @title IVerdicts
/// @notice All that others need to know of verdicts.
interface IVerdicts {
    /// @notice What the committee of `policy` said of `subject`.
    /// @return outcome None: no verdict (yet). Void: an arbiter annulled it, for good.
    /// @return finalAt When the challenge window ends or ended. It never moves once set; 0 while there is no verdict.
    /// @return effectiveAt From when `outcome` can no longer change. WARNING: before that time it can: pay nothing.
    function verdictOf(bytes32 subject, address policy)
        external
        view
        returns (Outcome outcome, uint40 finalAt, uint40 effectiveAt);
}
