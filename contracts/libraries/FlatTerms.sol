// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEscrow, Milestone, Terms} from "../interfaces/IEscrow.sol";

/// @notice `Terms` in memory: the address of their sixteen words, in order. In place of the milestones stands their
/// number, and their place in calldata is a seventeenth word.
/// @dev Not a struct: Solidity would allocate one for every function that returns it.
type Flat is uint256;

using {
    payer,
    payee,
    token,
    amount,
    policy,
    deliverBy,
    verdictBy,
    disputeTime,
    rulingTime,
    revealTime,
    arbiter,
    silenceShare,
    later,
    buyerKey,
    laterAt,
    amountOf,
    unpaidFrom,
    deliverTimeOf,
    verdictTimeOf
} for Flat global;

function payer(Flat flat) pure returns (address) {
    return address(uint160(_word(flat, 0)));
}

function payee(Flat flat) pure returns (address) {
    return address(uint160(_word(flat, 1)));
}

function token(Flat flat) pure returns (address) {
    return address(uint160(_word(flat, 2)));
}

function amount(Flat flat) pure returns (uint256) {
    return _word(flat, 3);
}

function policy(Flat flat) pure returns (address) {
    return address(uint160(_word(flat, 4)));
}

function deliverBy(Flat flat) pure returns (uint256) {
    return _word(flat, 6);
}

function verdictBy(Flat flat) pure returns (uint256) {
    return _word(flat, 7);
}

function disputeTime(Flat flat) pure returns (uint256) {
    return _word(flat, 8);
}

function rulingTime(Flat flat) pure returns (uint256) {
    return _word(flat, 9);
}

function revealTime(Flat flat) pure returns (uint256) {
    return _word(flat, 10);
}

function arbiter(Flat flat) pure returns (address) {
    return address(uint160(_word(flat, 11)));
}

function silenceShare(Flat flat) pure returns (uint256) {
    return _word(flat, 12);
}

function later(Flat flat) pure returns (uint256) {
    return _word(flat, 13);
}

function buyerKey(Flat flat) pure returns (bytes32) {
    return bytes32(_word(flat, 14));
}

function laterAt(Flat flat) pure returns (uint256) {
    return _word(flat, 16);
}

function _word(Flat flat, uint256 index) pure returns (uint256 value) {
    assembly ("memory-safe") {
        value := mload(add(flat, mul(index, 0x20)))
    }
}

uint256 constant MILESTONE_SIZE = 0x60;

/// @notice The money of milestone `number`.
function amountOf(Flat flat, uint256 number) pure returns (uint256) {
    if (number != 0) return _milestoneWord(flat, number, 0);
    return flat.later() == 0 ? flat.amount() : flat.amount() - unpaidFrom(flat, 1);
}

/// @notice The money of milestone `number` and all after it.
function unpaidFrom(Flat flat, uint256 number) pure returns (uint256 sum) {
    if (number == 0) return flat.amount();
    uint256 last = flat.later();
    for (uint256 n = number; n <= last; ++n) {
        sum += _milestoneWord(flat, n, 0);
    }
}

/// @notice Seconds to deliver milestone `number`, which is not the first.
function deliverTimeOf(Flat flat, uint256 number) pure returns (uint256) {
    return _milestoneWord(flat, number, 0x20);
}

/// @notice Seconds to a verdict on milestone `number`, which is not the first.
function verdictTimeOf(Flat flat, uint256 number) pure returns (uint256) {
    return _milestoneWord(flat, number, 0x40);
}

/// `number` counts from 1 and is at most `later`: the deal's own number is.
function _milestoneWord(Flat flat, uint256 number, uint256 offset) pure returns (uint256 value) {
    uint256 at = flat.laterAt() + (number - 1) * MILESTONE_SIZE + offset;
    assembly ("memory-safe") {
        value := calldataload(at)
    }
}

/// @title FlatTerms
/// @notice EIP-712 struct hash of `Terms`, and the event that publishes them.
/// @dev Assembly, because sixteen words lie in calldata as EIP-712, memory and the event want them, but for one:
/// `python -m bench gas` measures it.
library FlatTerms {
    bytes32 internal constant MILESTONE_TYPEHASH =
        keccak256("Milestone(uint256 amount,uint40 deliverTime,uint40 verdictTime)");
    bytes32 internal constant TYPEHASH = keccak256(
        "Terms(address payer,address payee,address token,uint256 amount,address policy,bytes32 brief,uint40 deliverBy,uint40 verdictBy,uint40 disputeTime,uint40 rulingTime,uint40 revealTime,address arbiter,uint16 silenceShare,Milestone[] milestones,bytes32 buyerKey,bytes32 salt)Milestone(uint256 amount,uint40 deliverTime,uint40 verdictTime)"
    );
    bytes32 internal constant NO_MILESTONES = keccak256("");
    /// @dev Where the milestones begin: after the sixteen words. {requireClean} allows no other place.
    uint256 internal constant TAIL = 0x200;

    /// @notice The struct hash, and the words it covers.
    /// WARNING: words are taken as they are; {requireClean} saw those of every deal there is.
    function flatten(Terms calldata terms) internal pure returns (bytes32 digest, Flat flat) {
        Milestone[] calldata later = terms.milestones;
        bytes32 milestones = later.length == 0 ? NO_MILESTONES : _hash(later);
        bytes32 typehash = TYPEHASH;
        assembly ("memory-safe") {
            let m := mload(0x40) // type hash, sixteen words, one more
            mstore(0x40, add(m, 0x240))
            flat := add(m, 0x20)
            mstore(m, typehash)
            calldatacopy(flat, terms, TAIL)
            mstore(add(flat, 0x1a0), milestones) // the 14th word
            digest := keccak256(m, 0x220)
            mstore(add(flat, 0x1a0), later.length)
            mstore(add(flat, TAIL), later.offset)
        }
    }

    /// @notice Reverts unless every word holds what its type can hold, and the milestones follow the sixteen words.
    function requireClean(Terms calldata terms) internal pure {
        uint256 dirty;
        assembly ("memory-safe") {
            let addresses := or(calldataload(terms), calldataload(add(terms, 0x20))) // payer, payee
            addresses := or(addresses, calldataload(add(terms, 0x40))) // token
            addresses := or(addresses, calldataload(add(terms, 0x80))) // policy
            addresses := or(addresses, calldataload(add(terms, 0x160))) // arbiter
            let times := or(calldataload(add(terms, 0xc0)), calldataload(add(terms, 0xe0))) // deliverBy, verdictBy
            times := or(times, calldataload(add(terms, 0x100))) // disputeTime
            times := or(times, calldataload(add(terms, 0x120))) // rulingTime
            times := or(times, calldataload(add(terms, 0x140))) // revealTime
            dirty := or(shr(160, addresses), shr(40, times))
            dirty := or(dirty, shr(16, calldataload(add(terms, 0x180)))) // silenceShare
            dirty := or(dirty, xor(TAIL, calldataload(add(terms, 0x1a0)))) // milestones
        }
        require(dirty == 0, IEscrow.MalformedTerms());
    }

    /// @notice Emits `Opened`. WARNING: {requireClean} has passed.
    function emitOpened(Terms calldata terms, bytes32 dealId, uint256 later, string calldata briefUri) internal {
        bytes32 topic = IEscrow.Opened.selector;
        assembly ("memory-safe") {
            let size := add(add(TAIL, 0x20), mul(later, MILESTONE_SIZE))
            let m := mload(0x40) // offsets of terms and briefUri; terms; length of briefUri; briefUri
            mstore(m, 0x40)
            mstore(add(m, 0x20), add(0x40, size))
            calldatacopy(add(m, 0x40), terms, size)
            let uri := add(add(m, 0x40), size)
            let padded := and(add(briefUri.length, 0x1f), not(0x1f))
            mstore(add(uri, padded), 0) // zeros after its end; what is before is overwritten
            mstore(uri, briefUri.length)
            calldatacopy(add(uri, 0x20), briefUri.offset, briefUri.length)
            log2(m, add(add(size, 0x60), padded), topic, dealId)
        }
    }

    function _hash(Milestone[] calldata later) private pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](later.length);
        for (uint256 i = 0; i < hashes.length; ++i) {
            hashes[i] = keccak256(abi.encode(MILESTONE_TYPEHASH, later[i]));
        }
        return keccak256(abi.encodePacked(hashes));
    }
}
