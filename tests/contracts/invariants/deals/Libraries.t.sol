// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Deal, IEscrow, Milestone, State, Terms} from "../../../../contracts/interfaces/IEscrow.sol";
import {Attestation, Policy, Verdict} from "../../../../contracts/interfaces/IOracle.sol";
import {Outcome} from "../../../../contracts/interfaces/IVerdicts.sol";
import {Attestations} from "../../../../contracts/libraries/Attestations.sol";
import {DealStorage, packDeal} from "../../../../contracts/libraries/PackedDeal.sol";
import {PackedVerdict, VerdictStorage, packRequest} from "../../../../contracts/libraries/PackedVerdict.sol";
import {PolicyCode} from "../../../../contracts/libraries/PolicyCode.sol";
import {Cast} from "./Cast.sol";

/// Gives the internal libraries an address.
contract Shelf {
    using DealStorage for Deal;
    using VerdictStorage for Verdict;

    Deal internal _deal;
    Verdict internal _verdict;

    /// `seats`: node, model, node, model …
    function scores(
        bytes32 domain,
        bytes32 asked,
        uint256 issuedAt,
        uint256[] memory seats,
        uint256 signers,
        bytes calldata data
    ) external view returns (uint256, uint256, uint256) {
        uint256 first;
        assembly ("memory-safe") {
            first := add(seats, 0x20)
        }
        return Attestations.scores(domain, asked, issuedAt, first, signers, data);
    }

    function encode(Policy calldata policy) external pure returns (bytes memory) {
        return PolicyCode.encode(policy);
    }

    function decode(bytes calldata code) external pure returns (Policy memory) {
        return PolicyCode.decode(code);
    }

    function word(bytes calldata code, uint256 index) external pure returns (uint256) {
        return PolicyCode.word(code, index);
    }

    function deploy(bytes calldata code) external returns (address policy) {
        bytes memory init = PolicyCode.initCode(code);
        assembly ("memory-safe") {
            policy := create(0, add(init, 0x20), mload(init))
        }
    }

    function packed(Deal calldata deal) external returns (Deal memory) {
        _deal.store(packDeal(deal.delivery, deal.deliveredAt, deal.rulingBy, deal.milestone, deal.state));
        return _deal;
    }

    function packed(Verdict calldata v) external returns (Verdict memory) {
        PackedVerdict asked = packRequest(v.requestedAt, v.suspended, v.round);
        _verdict.store(asked.decided(v.finalAt, v.signers, v.bound, v.outcome));
        return _verdict;
    }
}

/// L1 to L5 of README.md.
contract LibrariesTest is Cast {
    uint256 internal constant HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    struct Scores {
        uint256 lowest;
        uint256 highest;
        uint256 count;
    }

    Shelf internal shelf = new Shelf();

    function setUp() public {
        _castAll();
    }

    /* L1: ATTESTATIONS */

    /// What plain `abi.encode` and `ecrecover` make of the bytes; `good`: all are their seats' own.
    function _naive(Attestation memory said, uint256 signers, bytes memory data)
        internal
        view
        returns (bool good, Scores memory found)
    {
        found.lowest = 255;
        for (uint256 seat = 0; seat < NODE_COUNT; ++seat) {
            if (signers >> seat & 1 == 0) continue;
            if (data.length < 97 * (found.count + 1)) return (false, found);
            bytes memory one = _slice(data, 97 * found.count);
            (said.score, said.evidence) = (uint8(one[0]), _wordOf(one, 1));
            if (_signer(said, _wordOf(one, 33), uint256(_wordOf(one, 65))) != _nodes[seat]) return (false, found);
            if (said.score < found.lowest) found.lowest = said.score;
            if (said.score > found.highest) found.highest = said.score;
            ++found.count;
        }
        good = data.length == 97 * found.count;
    }

    /// 0 for a high s.
    function _signer(Attestation memory said, bytes32 r, uint256 vs) internal view returns (address) {
        uint256 s = vs & (type(uint256).max >> 1);
        if (s > HALF_ORDER) return NOBODY;
        bytes memory message = abi.encodePacked("\x19\x01", _domain(address(oracle)), _attestationHash(said));
        return ecrecover(keccak256(message), vs >> 255 == 1 ? 28 : 27, r, bytes32(s));
    }

    function _slice(bytes memory data, uint256 from) internal pure returns (bytes memory part) {
        part = new bytes(97);
        for (uint256 i = 0; i < 97; ++i) {
            part[i] = data[from + i];
        }
    }

    function _wordOf(bytes memory data, uint256 from) internal pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := mload(add(add(data, 0x20), from))
        }
    }

    function _certificate(Attestation memory said, uint256 signers, uint256 seed)
        internal
        view
        returns (bytes memory data)
    {
        for (uint256 seat = 0; seat < NODE_COUNT; ++seat) {
            if (signers >> seat & 1 == 0) continue;
            (said.score, said.evidence) = (uint8(seed >> (8 * seat)), keccak256(abi.encode(seed, seat)));
            data = bytes.concat(data, _attest(_secretOf[_nodes[seat]], address(oracle), said));
        }
    }

    function _seatWords() internal view returns (uint256[] memory words) {
        words = new uint256[](2 * NODE_COUNT);
        for (uint256 i = 0; i < NODE_COUNT; ++i) {
            words[2 * i] = uint160(_nodes[i]);
            words[2 * i + 1] = i;
        }
    }

    function _agree(Attestation memory said, uint256 signers, bytes memory data) internal view returns (bool good) {
        Scores memory found;
        bytes32 asked = _requestHash(said.request);
        bytes32 domain = _domain(address(oracle));
        uint40 issuedAt = said.issuedAt;
        (good, found) = _naive(said, signers, data);
        try shelf.scores(domain, asked, issuedAt, _seatWords(), signers, data) returns (
            uint256 low, uint256 high, uint256 n
        ) {
            require(good, "L1: took what no seat signed");
            require(low == found.lowest && high == found.highest && n == found.count, "L1: other scores");
        } catch {
            require(!good, "L1: refused good attestations");
        }
    }

    function testFuzz_L1_good_attestations(Attestation memory said, uint8 signers, uint256 seed) public view {
        signers %= 32;
        require(_agree(said, signers, _certificate(said, signers, seed)), "L1: not good");
    }

    /// One bit flipped, one byte cut or added, or the mask changed.
    function testFuzz_L1_changed_attestations(
        Attestation memory said,
        uint8 signers,
        uint256 seed,
        uint16 at,
        uint8 how
    ) public view {
        signers = signers % 31 + 1;
        bytes memory data = _certificate(said, signers, seed);
        if (how % 4 == 0) signers = uint8((at % 31 + signers) % 32);
        else if (how % 4 == 1) data = bytes.concat(data, bytes1(how));
        else if (how % 4 == 2) data = _shortened(data);
        else data[at % data.length] ^= bytes1(uint8(1 << (how % 8)));
        _agree(said, signers, data);
    }

    function _shortened(bytes memory data) internal pure returns (bytes memory) {
        assembly ("memory-safe") {
            mstore(data, sub(mload(data), 1))
        }
        return data;
    }

    function testFuzz_L1_the_malleable_twin_is_refused(Attestation memory said, uint256 seed) public view {
        bytes memory good = _certificate(said, 1, seed);
        (bytes32 r, uint256 vs) = (_wordOf(good, 33), uint256(_wordOf(good, 65)));
        uint256 s = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141 - (vs & (type(uint256).max >> 1));
        uint256 twin = s >> 255 == 1 ? s : s | ((vs >> 255 ^ 1) << 255);
        require(!_agree(said, 1, abi.encodePacked(uint8(good[0]), _wordOf(good, 1), r, twin)), "L1: took the twin");
    }

    /// The Oracle tells nodes to sign what the library checks.
    function testFuzz_L1_digest(Attestation memory said) public view {
        bytes memory message = abi.encodePacked("\x19\x01", _domain(address(oracle)), _attestationHash(said));
        assert(oracle.digestOf(said) == keccak256(message));
    }

    /* L2: TERMS */

    function testFuzz_L2_deal_id(Terms memory t) public view {
        assert(escrow.dealIdOf(t) == _dealIdOf(t));
    }

    /// Each typed word holds what its type can hold, or no deal opens.
    function testFuzz_L2_dirty_words_open_nothing(uint8 which, uint8 bit) public {
        uint8[13] memory words = [0, 1, 2, 4, 6, 7, 8, 9, 10, 11, 12, 13, 13];
        Terms memory t;
        (t.payer, t.payee, t.amount) = (_parties[2], _parties[3], 10);
        (t.deliverBy, t.verdictBy, t.milestones) = (uint40(START + 1), uint40(START + 2), new Milestone[](1));
        t.milestones[0] = Milestone(1, 1, 1);
        bytes memory data = abi.encodeCall(IEscrow.open, (t, "brief"));
        uint256 word = words[which % 13];
        uint256 width = word < 6 || word == 11 ? 160 : word == 12 ? 16 : word == 13 ? 0 : 40;
        uint256 dirt = 1 << (width + bit % (256 - width));
        _flip(data, word, dirt);
        require(!_sends(data), "L2: opened");
        _flip(data, word, dirt);
        require(_sends(data) && escrow.dealOf(_dealIdOf(t)).state == State.Started, "L2: clean terms refused");
    }

    /// The terms begin after selector and two offsets.
    function _flip(bytes memory data, uint256 word, uint256 bits) internal pure {
        assembly ("memory-safe") {
            let place := add(add(data, 0x64), mul(word, 0x20))
            mstore(place, xor(mload(place), bits))
        }
    }

    function _sends(bytes memory data) internal returns (bool ok) {
        VM.prank(_parties[2]);
        (ok,) = address(escrow).call{value: 10}(data);
    }

    /* L3: POLICIES */

    function testFuzz_L3_policy_code(Policy memory p) public {
        if (p.seats.length > 32) _trim(p);
        bytes memory code = shelf.encode(p);
        assert(keccak256(abi.encode(shelf.decode(code))) == keccak256(abi.encode(p)));
        assert(keccak256(shelf.deploy(code).code) == keccak256(code) && code[0] == 0);
        assert(shelf.word(code, PolicyCode.FEE) == p.fee && shelf.word(code, PolicyCode.SLASH) == p.slash);
        assert(shelf.word(code, PolicyCode.SUBMIT_TIME) == p.submitTime && shelf.word(code, PolicyCode.K) == p.k);
        assert(shelf.word(code, PolicyCode.CHALLENGE_TIME) == p.challengeTime);
        assert(shelf.word(code, PolicyCode.PASS) == p.passScore && shelf.word(code, PolicyCode.SEATS) == p.seats.length);
    }

    function _trim(Policy memory p) internal pure {
        assembly ("memory-safe") {
            mstore(mload(add(p, 0x140)), 32)
        }
    }

    /* L4, L5: SLOTS */

    function testFuzz_L4_deal_slot(bytes20 delivery, uint40 time, uint40 rulingBy, uint8 milestone, uint8 state)
        public
    {
        Deal memory deal = Deal(delivery, time, rulingBy, milestone, State(state % 8));
        assert(keccak256(abi.encode(shelf.packed(deal))) == keccak256(abi.encode(deal)));
    }

    /// A request that is decided: nobody is paid yet, nobody challenged.
    function testFuzz_L5_verdict_slot(
        uint40[2] memory times,
        uint32[2] memory seats,
        uint8[2] memory small,
        uint8 outcome
    ) public {
        Verdict memory v;
        (v.requestedAt, v.finalAt, v.signers, v.suspended) = (times[0], times[1], seats[0], seats[1]);
        (v.bound, v.round, v.outcome) = (small[0], small[1], Outcome(outcome % 4));
        assert(keccak256(abi.encode(shelf.packed(v))) == keccak256(abi.encode(v)));
    }
}
