// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Deal, State} from "../interfaces/IEscrow.sol";

/// @notice The one storage word of a `Deal`, as Solidity lays it out: delivery 160 bits, deliveredAt 40, rulingBy 40,
/// milestone 8, state 8, from the lowest.
type PackedDeal is uint256;

using {delivery, deliveredAt, rulingBy, milestone, state, withState} for PackedDeal global;

uint256 constant STATE_BITS = uint256(0xff) << 248;

function delivery(PackedDeal deal) pure returns (bytes20) {
    return bytes20(uint160(PackedDeal.unwrap(deal)));
}

function deliveredAt(PackedDeal deal) pure returns (uint256) {
    return uint40(PackedDeal.unwrap(deal) >> 160);
}

function rulingBy(PackedDeal deal) pure returns (uint256) {
    return uint40(PackedDeal.unwrap(deal) >> 200);
}

function milestone(PackedDeal deal) pure returns (uint256) {
    return uint8(PackedDeal.unwrap(deal) >> 240);
}

function state(PackedDeal deal) pure returns (State) {
    return State(PackedDeal.unwrap(deal) >> 248);
}

function withState(PackedDeal deal, State next) pure returns (PackedDeal) {
    return PackedDeal.wrap((PackedDeal.unwrap(deal) & ~STATE_BITS) | (uint256(next) << 248));
}

/// @dev `times` fit 40 bits: the caller has checked them.
function packDeal(bytes20 what, uint256 deliveredTime, uint256 rulingTime, uint256 number, State now_)
    pure
    returns (PackedDeal)
{
    return PackedDeal.wrap(
        uint160(what) | (deliveredTime << 160) | (rulingTime << 200) | (number << 240) | (uint256(now_) << 248)
    );
}

/// @notice Reads and writes the word at once: a struct would be unpacked and packed again field by field
/// (`python -m bench gas` measures it).
library DealStorage {
    function load(Deal storage deal) internal view returns (PackedDeal word) {
        assembly ("memory-safe") {
            word := sload(deal.slot)
        }
    }

    function store(Deal storage deal, PackedDeal word) internal {
        assembly ("memory-safe") {
            sstore(deal.slot, word)
        }
    }
}
