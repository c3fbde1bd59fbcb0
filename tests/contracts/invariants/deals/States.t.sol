// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Deal, Milestone, State, Terms} from "../../../../contracts/interfaces/IEscrow.sol";
import {Attestation, Request} from "../../../../contracts/interfaces/IOracle.sol";
import {Cast} from "./Cast.sol";

/// What the world seldom meets, place by place: every state of every milestone, which a stranger brings to its end (E6); a
/// ruling on another milestone than the current (E3); a verdict in the last second and in the one after (E5).
contract StatesTest is Cast {
    uint256 internal constant LATER = 3;

    address internal _payer;
    address internal _payee;
    uint256 internal _time = START;

    function setUp() public {
        _castAll();
        (_payer, _payee) = (_parties[2], _parties[3]);
        for (uint256 i = 0; i < 2; ++i) {
            VM.prank(_nodes[i]);
            nodes.join(address(oracle), 0);
        }
    }

    function _terms(uint16 share) internal view returns (Terms memory t) {
        (t.payer, t.payee, t.amount, t.arbiter) = (_payer, _payee, 10_000, address(_arbiter));
        (t.deliverBy, t.verdictBy) = (uint40(START + 1 days), uint40(START + 2 days));
        (t.disputeTime, t.rulingTime, t.silenceShare) = (1 days, 1 days, share);
        t.milestones = new Milestone[](LATER);
        for (uint256 i = 0; i < LATER; ++i) {
            t.milestones[i] = Milestone(1_001 + i, 1 days, 1 days);
        }
    }

    function _send(address sender, uint256 value, bytes memory data) internal {
        VM.prank(sender);
        (bool ok,) = address(escrow).call{value: value}(data);
        require(ok, "E3: a good step was refused");
    }

    function _pass(uint256 time) internal {
        VM.warp(_time += time);
    }

    /// To that state of that milestone: Started, Delivered, Disputed, RuledPay, RuledRefund or RuledHalf.
    function _reach(Terms memory t, uint8 milestone, State state) internal {
        _send(_payer, t.amount, abi.encodeCall(escrow.open, (t, "brief")));
        for (uint8 i = 0; i < milestone; ++i) {
            _send(_payer, 0, abi.encodeCall(escrow.release, (t, i)));
        }
        if (state == State.Started) return;
        _send(_payee, 0, abi.encodeCall(escrow.deliver, (t, milestone, keccak256("work"), "here")));
        if (state == State.Delivered) return;
        _pass(milestone == 0 ? 2 days + 1 : 1 days + 1);
        _send(_payee, _arbiter.COST(), abi.encodeCall(escrow.dispute, (t, "why")));
        if (state == State.Disputed) return;
        _ruleOn(_arbiter.disputes(), uint256(state) - uint256(State.Disputed));
    }

    function _ruleOn(uint256 disputeId, uint256 ruling) internal {
        VM.prank(address(_arbiter));
        escrow.rule(disputeId, ruling);
    }

    /// What the payee must have at the end, when nobody but a stranger moves any more.
    function _fair(Terms memory t, uint8 milestone, State state) internal pure returns (uint256 toPayee) {
        toPayee = t.amount;
        for (uint256 i = milestone; i < LATER; ++i) {
            toPayee -= t.milestones[i].amount;
        }
        uint256 part = milestone == 0 ? toPayee : t.milestones[milestone - 1].amount;
        uint256 share = t.silenceShare;
        if (state == State.Started || state == State.RuledRefund) share = 0;
        if (state == State.RuledPay) share = 10_000;
        if (state == State.RuledHalf) share = 5_000;
        return toPayee - part + part * share / 10_000;
    }

    function testFuzz_E6_every_state_of_every_milestone_ends(uint8 milestone, uint8 which, uint16 share) public {
        Terms memory t = _terms(share % 10_001);
        (milestone, which) = (milestone % uint8(LATER + 1), uint8(State.Started) + which % 6);
        (uint256 payer, uint256 payee) = (_payer.balance, _payee.balance);
        _reach(t, milestone, State(which));
        uint256 costs = State(which) >= State.Disputed ? _arbiter.COST() : 0;
        require(escrow.dealOf(_dealIdOf(t)).state == State(which), "not reached");
        for (uint256 i = 0; i <= LATER && escrow.dealOf(_dealIdOf(t)).state != State.Ended; ++i) {
            _end(t);
        }
        require(escrow.dealOf(_dealIdOf(t)).state == State.Ended, "E6: no end");
        uint256 toPayee = _fair(t, milestone, State(which));
        require(_payee.balance == payee + toPayee - costs, "E2: the payee got another amount");
        require(_payer.balance == payer - toPayee && address(escrow).balance == 0, "E2: money stayed");
    }

    function _end(Terms memory t) internal {
        Deal memory deal = escrow.dealOf(_dealIdOf(t));
        bool ruled = deal.state >= State.RuledPay;
        if (!ruled) _pass(4 days);
        VM.prank(_stranger);
        if (ruled) escrow.settle(t);
        else escrow.expire(t);
    }

    /// E3: the arbiter answers a dispute about a milestone that the payer has released meanwhile.
    function testFuzz_E3_a_ruling_is_about_its_milestone(uint8 milestone, uint8 ruling) public {
        Terms memory t = _terms(0);
        milestone %= uint8(LATER);
        _reach(t, milestone, State.Disputed);
        uint256 stale = _arbiter.disputes();
        _send(_payer, 0, abi.encodeCall(escrow.release, (t, milestone)));
        _send(_payee, 0, abi.encodeCall(escrow.deliver, (t, milestone + 1, keccak256("next"), "here")));
        _pass(1 days + 1);
        _send(_payer, _arbiter.COST(), abi.encodeCall(escrow.dispute, (t, "why")));
        _ruleOn(stale, ruling);
        require(escrow.dealOf(_dealIdOf(t)).state == State.Disputed, "E3: a stale ruling counted");
        _ruleOn(_arbiter.disputes(), 1);
        require(escrow.dealOf(_dealIdOf(t)).state == State.RuledPay, "E3: its own ruling did not count");
    }

    /// E5: a verdict counts when it is final in the last second, and not in the one after.
    function testFuzz_E5_a_verdict_counts_up_to_the_last_second(uint8 milestone, bool late) public {
        Terms memory t = _terms(0);
        t.policy = _policies[1];
        milestone %= uint8(LATER + 1);
        _reach(t, milestone, State.Delivered);
        bytes32 subject = escrow.subjectOf(_dealIdOf(t), milestone, keccak256("work"));
        uint256 left = milestone == 0 ? t.verdictBy - START : 1 days;
        _pass(left - 1 hours);
        oracle.request(subject, t.policy);
        uint40 askedAt = uint40(_time);
        _pass(1 hours + (late ? 1 : 0));
        oracle.submit(subject, t.policy, 3, _passing(subject, t.policy, askedAt));
        uint256 had = _payee.balance;
        VM.prank(_stranger);
        (bool ok,) = address(escrow).call(abi.encodeCall(escrow.settle, (t)));
        require(ok != late, late ? "E5: a late verdict counted" : "E5: a verdict in time did not count");
        require((_payee.balance > had) == ok, "E5: paid otherwise than it says");
    }

    /// By the first two nodes, whose policy has no challenge: final at once.
    function _passing(bytes32 subject, address policy, uint40 askedAt) internal view returns (bytes memory data) {
        for (uint256 i = 0; i < 2; ++i) {
            Attestation memory said = Attestation(Request(subject, policy, 0), 100, bytes32(i), askedAt);
            data = bytes.concat(data, _attest(_secretOf[_nodes[i]], address(oracle), said));
        }
    }
}
