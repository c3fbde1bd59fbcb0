// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Stage, Verdict} from "../interfaces/IOracle.sol";
import {Outcome} from "../interfaces/IVerdicts.sol";

/// @notice The one storage word of a `Verdict`, as Solidity lays it out: requestedAt 40 bits, finalAt 40, ruledAt 40,
/// signers 32, suspended 32, paid 32, bound 8, round 8, outcome 8, stage 8, from the lowest.
type PackedVerdict is uint256;

using {requestedAt, finalAt, ruledAt, suspended, round, outcome, stage, decided} for PackedVerdict global;

function requestedAt(PackedVerdict verdict) pure returns (uint256) {
    return uint40(PackedVerdict.unwrap(verdict));
}

function finalAt(PackedVerdict verdict) pure returns (uint256) {
    return uint40(PackedVerdict.unwrap(verdict) >> 40);
}

function ruledAt(PackedVerdict verdict) pure returns (uint256) {
    return uint40(PackedVerdict.unwrap(verdict) >> 80);
}

function suspended(PackedVerdict verdict) pure returns (uint256) {
    return uint32(PackedVerdict.unwrap(verdict) >> 152);
}

function round(PackedVerdict verdict) pure returns (uint256) {
    return uint8(PackedVerdict.unwrap(verdict) >> 224);
}

function outcome(PackedVerdict verdict) pure returns (Outcome) {
    return Outcome(uint8(PackedVerdict.unwrap(verdict) >> 232));
}

function stage(PackedVerdict verdict) pure returns (Stage) {
    return Stage(uint8(PackedVerdict.unwrap(verdict) >> 240));
}

/// @notice The verdict of a request that had none: only adds what was 0. Arguments fit their fields: the caller knows.
function decided(PackedVerdict verdict, uint256 finalTime, uint256 signers, uint256 bound, Outcome said)
    pure
    returns (PackedVerdict)
{
    return PackedVerdict.wrap(
        PackedVerdict.unwrap(verdict) | (finalTime << 40) | (signers << 120) | (bound << 216) | (uint256(said) << 232)
    );
}

/// @notice A request without a verdict. Arguments fit their fields: the caller knows.
function packRequest(uint256 time, uint256 closed, uint256 number) pure returns (PackedVerdict) {
    return PackedVerdict.wrap(time | (closed << 152) | (number << 224));
}

/// @notice Reads and writes the word at once: a struct would be unpacked and packed again field by field
/// (`python -m bench gas` measures it).
library VerdictStorage {
    function load(Verdict storage verdict) internal view returns (PackedVerdict word) {
        assembly ("memory-safe") {
            word := sload(verdict.slot)
        }
    }

    function store(Verdict storage verdict, PackedVerdict word) internal {
        assembly ("memory-safe") {
            sstore(verdict.slot, word)
        }
    }
}
