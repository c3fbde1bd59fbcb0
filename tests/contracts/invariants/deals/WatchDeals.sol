// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Deal, State, Terms} from "../../../../contracts/interfaces/IEscrow.sol";
import {Outcome} from "../../../../contracts/interfaces/IVerdicts.sol";
import {VerdictWorld} from "./VerdictWorld.sol";

/// Ghost state of deals: a second statement of the Escrow's rules, and E1 to E6 of README.md. Deals that have ended are
/// looked at after every fourth step.
abstract contract WatchDeals is VerdictWorld {
    struct Ghost {
        bytes32 id;
        bytes terms;
        address token;
        State state;
        uint8 milestone;
        /// Start of the current milestone, or its delivery.
        uint40 since;
        uint40 rulingBy;
        bytes20 delivery;
        uint256 unpaid;
        uint256 toPayee;
        uint256 toPayer;
        uint256 moved;
        uint256 endings;
    }

    uint256 internal constant WHOLE = 10_000;

    Ghost[] internal _deals;
    mapping(bytes32 dealId => bool) internal _opened;
    mapping(uint256 number => Deal) internal _lastDeal;

    function _watch() internal override {
        _watchNodes();
        _watchVerdicts();
        for (uint256 i = 0; i < _deals.length; ++i) {
            bool over = _lastDeal[i].state == State.Ended;
            if (!over || _steps % 4 == 0) _watchDeal(i);
        }
        for (uint256 i = 0; i < _tokens.length; ++i) {
            _watchEscrow(_tokens[i]);
        }
    }

    function _watchEscrow(address token) internal {
        uint256 owed = _watchMoney(token) + _forced[token][address(escrow)];
        for (uint256 i = 0; i < _deals.length; ++i) {
            if (_deals[i].state != State.Ended && _deals[i].token == token) owed += _deals[i].unpaid;
        }
        _rule("E1", _holds(token, address(escrow)) == owed);
    }

    function _watchDeal(uint256 number) internal {
        Ghost storage g = _deals[number];
        (Deal memory was, Deal memory deal) = (_lastDeal[number], escrow.dealOf(g.id));
        bool same = deal.state == g.state && deal.milestone == g.milestone && deal.rulingBy == g.rulingBy;
        if (g.state != State.Ended) _rule("E3", same && deal.deliveredAt == g.since && deal.delivery == g.delivery);
        if (was.state == State.Ended) _rule("E4", keccak256(abi.encode(was)) == keccak256(abi.encode(deal)));
        else _rule("E3", deal.milestone == was.milestone ? _follows(was.state, deal.state) : _advances(was, deal));
        bool ended = deal.state == State.Ended;
        _rule("E4", g.endings == (ended ? 1 : 0) && ended == (g.unpaid == 0));
        if (was.state != deal.state || was.milestone != deal.milestone) _watchSum(g, number);
        _lastDeal[number] = deal;
    }

    function _watchSum(Ghost storage g, uint256 number) internal {
        _rule("E2", g.toPayee + g.toPayer + g.moved + g.unpaid == _termsOf(number).amount);
    }

    /// The table of IEscrow, within one milestone.
    function _follows(State was, State now_) internal pure returns (bool) {
        if (was == now_ || now_ == State.Ended) return true;
        if (was == State.None) return now_ == State.Started;
        if (was == State.Started) return now_ == State.Delivered;
        if (was == State.Delivered) return now_ == State.Disputed;
        return was == State.Disputed && now_ >= State.RuledPay && now_ <= State.RuledHalf;
    }

    function _advances(Deal memory was, Deal memory now_) internal view returns (bool) {
        bool fresh = now_.delivery == 0 && now_.rulingBy == 0 && now_.deliveredAt == _time;
        return now_.milestone == was.milestone + 1 && now_.state == State.Started && fresh;
    }

    /* WHAT THE RULES SPEAK OF */

    function _termsOf(uint256 number) internal view returns (Terms memory) {
        return abi.decode(_deals[number].terms, (Terms));
    }

    function _born(Terms memory t, bytes32 id) internal {
        Ghost storage g = _deals.push();
        (g.id, g.terms, g.token, g.state) = (id, abi.encode(t), t.token, State.Started);
        (g.since, g.unpaid) = (uint40(_time), t.amount);
        _opened[id] = true;
    }

    function _living(Ghost storage g) internal view returns (bool) {
        return g.state != State.Ended;
    }

    /// Money of the current milestone.
    function _part(Ghost storage g, Terms memory t) internal view returns (uint256 part) {
        if (g.milestone != 0) return t.milestones[g.milestone - 1].amount;
        part = t.amount;
        for (uint256 i = 0; i < t.milestones.length; ++i) {
            part -= t.milestones[i].amount;
        }
    }

    function _deliverBy(Ghost storage g, Terms memory t) internal view returns (uint256) {
        if (g.milestone == 0) return t.deliverBy;
        return uint256(g.since) + t.milestones[g.milestone - 1].deliverTime;
    }

    function _verdictBy(Ghost storage g, Terms memory t) internal view returns (uint256) {
        if (g.milestone == 0) return t.verdictBy;
        return uint256(g.since) + t.milestones[g.milestone - 1].verdictTime;
    }

    function _subjectOf(Ghost storage g) internal view returns (bytes32) {
        return keccak256(abi.encode(g.id, g.milestone, g.delivery));
    }

    /// The verdict on what was delivered, None when it came too late; and from when it stands.
    function _verdict(Ghost storage g, Terms memory t) internal view returns (Outcome outcome, uint256 effectiveAt) {
        uint256 finalAt;
        (outcome, finalAt, effectiveAt) = oracle.verdictOf(_subjectOf(g), t.policy);
        if (finalAt > _verdictBy(g, t)) outcome = Outcome.None;
    }

    /// When nobody has judged, or will, a dispute may open after `from`; `judged`: a verdict counts, or may yet.
    function _silence(Ghost storage g, Terms memory t) internal view returns (bool judged, uint256 from) {
        (Outcome outcome, uint256 effectiveAt) = _verdict(g, t);
        judged = outcome == Outcome.Pass || outcome == Outcome.Fail;
        from = _verdictBy(g, t);
        if (outcome == Outcome.Void && effectiveAt > from) from = effectiveAt;
    }

    /// From when anybody can do the next step towards the end.
    function _endableAt(Ghost storage g, Terms memory t) internal view returns (uint256) {
        if (g.state == State.Started) return _deliverBy(g, t) + 1;
        if (g.state == State.Disputed) return uint256(g.rulingBy) + 1;
        if (g.state != State.Delivered) return 0;
        (bool judged, uint256 from) = _silence(g, t);
        (, uint256 effectiveAt) = _verdict(g, t);
        return judged ? effectiveAt : from + t.disputeTime + 1;
    }

    /* MONEY */

    /// The current milestone's money goes to the payee.
    function _paid(Ghost storage g, Terms memory t) internal {
        uint256 part = _part(g, t);
        g.unpaid -= part;
        g.toPayee += part;
        _send(t.token, t.payee, part);
        if (g.milestone == t.milestones.length) return _ended(g);
        ++g.milestone;
        (g.state, g.since, g.rulingBy, g.delivery) = (State.Started, uint40(_time), 0, 0);
        ++count["milestone"];
    }

    /// So many basis points of the current milestone go to the payee, all else to the payer.
    function _split(Ghost storage g, Terms memory t, uint256 share) internal {
        uint256 toPayee = _part(g, t) * share / WHOLE;
        uint256 toPayer = g.unpaid - toPayee;
        g.unpaid = 0;
        g.toPayee += toPayee;
        g.toPayer += toPayer;
        _send(t.token, t.payee, toPayee);
        _send(t.token, t.payer, toPayer);
        _ended(g);
    }

    function _ended(Ghost storage g) internal {
        ++g.endings;
        g.state = State.Ended;
    }
}
