// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Milestone, State, Terms} from "../../../../contracts/interfaces/IEscrow.sol";
import {Verdict} from "../../../../contracts/interfaces/IOracle.sol";
import {Outcome} from "../../../../contracts/interfaces/IVerdicts.sol";
import {Party, Token} from "./Mocks.sol";
import {TermsWorld} from "./TermsWorld.sol";

/// All that payers, payees, arbiters and strangers may try with deals, while nodes judge; and the end of the world.
contract DealWorld is TermsWorld {
    uint256 internal constant DEALS = 16;
    uint256 internal constant LIVING = 6;

    address internal immutable OWNER = msg.sender;

    constructor() {
        _castAll();
        _startMoney();
        Party(payable(_parties[0])).setRefuses(true);
        for (uint256 i = 0; i < NODE_COUNT; ++i) {
            _staked[_nodes[i]] = Staked(address(oracle), 0, 3 ether);
            _call(_nodes[i], address(nodes), 3 ether, abi.encodeCall(nodes.join, (address(oracle), 0)));
            _lose(NOBODY, _nodes[i], 3 ether);
        }
        _watch();
    }

    /* VERBS */

    /// What often follows on each other.
    function story(uint256 seed) external {
        if (seed % 2 == 0) open(seed);
        deliver(seed);
        if (seed % 5 < 2) return;
        request(seed);
        submit(seed);
        if (seed % 7 > 2) return;
        challenge(seed);
        rule(seed);
    }

    /// The payer, or anybody, opens a deal with his own money. Everybody's allowance stands.
    function open(uint256 seed) public step(seed) {
        if (_deals.length >= DEALS || _livingDeals() >= LIVING) return;
        uint256 payer = _draw(PARTIES);
        address payee = _parties[(payer + 1 + _draw(PARTIES - 1)) % PARTIES];
        Terms memory t = _newTerms(_parties[payer], payee, _tokens[_draw(3)]);
        address sender = _chance(4) ? _one(_people) : t.payer;
        bool may = true;
        if (_chance(4)) (t, may) = (_badTerms(t), false);
        uint256 value = t.token == NOBODY ? t.amount : 0;
        if (_chance(16)) (value, may) = (value + 1, false);
        bool ok = _call(sender, address(escrow), value, abi.encodeCall(escrow.open, (t, "brief")));
        _agree("E3", "open", ok, may);
        if (!ok) return;
        _lose(t.token, sender, t.amount);
        _born(t, _dealIdOf(t));
    }

    function deliver(uint256 seed) public step(seed) {
        (bool any, uint256 number) = _deal(_isStarted);
        if (!any) return;
        (Ghost storage g, Terms memory t) = (_deals[number], _termsOf(number));
        bytes32 delivery = _chance(12) ? bytes32(_draw(type(uint96).max)) : bytes32(_luck);
        address sender = _chance(8) ? _one(_people) : t.payee;
        bool may = g.state == State.Started && sender == t.payee && _time <= _deliverBy(g, t);
        uint8 milestone = _milestone(g);
        may = may && bytes20(delivery) != 0 && milestone == g.milestone;
        bool ok = _call(sender, address(escrow), 0, abi.encodeCall(escrow.deliver, (t, milestone, delivery, "here")));
        _agree("E3", "deliver", ok, may);
        if (!ok) return;
        (g.state, g.since, g.delivery) = (State.Delivered, uint40(_time), bytes20(delivery));
        _rule("E3", escrow.subjectOf(g.id, g.milestone, delivery) == _subjectOf(g));
        if (t.policy != NOBODY) _ask(_subjectOf(g), t.policy);
    }

    function concede(uint256 seed) public step(seed) {
        if (_deals.length == 0 || !_chance(3)) return;
        _squeeze();
        if (_chance(3)) _refund(_draw(_deals.length));
        else _release(_draw(_deals.length));
    }

    function _release(uint256 number) internal {
        (Ghost storage g, Terms memory t) = (_deals[number], _termsOf(number));
        address sender = _chance(2) ? _one(_parties) : t.payer;
        uint8 milestone = _milestone(g);
        bool ok = _call(sender, address(escrow), 0, abi.encodeCall(escrow.release, (t, milestone)));
        _agree("E3", "release", ok, _living(g) && sender == t.payer && milestone == g.milestone);
        if (ok) _paid(g, t);
    }

    /// The one that the sender takes for the current.
    function _milestone(Ghost storage g) internal returns (uint8) {
        return _chance(8) ? g.milestone ^ 1 : g.milestone;
    }

    function _refund(uint256 number) internal {
        (Ghost storage g, Terms memory t) = (_deals[number], _termsOf(number));
        address sender = _chance(2) ? _one(_parties) : t.payee;
        bool ok = _call(sender, address(escrow), 0, abi.encodeCall(escrow.refund, (t)));
        _agree("E3", "refund", ok, _living(g) && sender == t.payee);
        if (ok) _split(g, t, 0);
    }

    function settle(uint256 seed) public step(seed) {
        (bool any, uint256 number) = _deal(_chance(3) ? _isLiving : _isSettleable);
        if (!any) return;
        _squeeze();
        _settle(number, _one(_people));
    }

    function _settle(uint256 number, address sender) internal returns (bool ok) {
        (Ghost storage g, Terms memory t) = (_deals[number], _termsOf(number));
        (Outcome outcome,) = _verdict(g, t);
        bool judged = g.state == State.Delivered;
        bool may = _maySettle(g, t);
        ok = _call(sender, address(escrow), 0, abi.encodeCall(escrow.settle, (t)));
        _agree("E5", judged ? bytes32("settleVerdict") : bytes32("settleRuling"), ok, may);
        if (!ok) return false;
        if (judged ? outcome == Outcome.Pass : g.state == State.RuledPay) _paid(g, t);
        else _split(g, t, g.state == State.RuledHalf ? WHOLE / 2 : 0);
    }

    /// An effective verdict that counts, or a ruling.
    function _maySettle(Ghost storage g, Terms memory t) internal view returns (bool) {
        if (g.state != State.Delivered) return g.state >= State.RuledPay && g.state <= State.RuledHalf;
        (Outcome outcome, uint256 effectiveAt) = _verdict(g, t);
        return (outcome == Outcome.Pass || outcome == Outcome.Fail) && _time >= effectiveAt;
    }

    function dispute(uint256 seed) public step(seed) {
        (bool any, uint256 number) = _deal(_chance(3) ? _isDelivered : _isQuiet);
        if (!any) return;
        (Ghost storage g, Terms memory t) = (_deals[number], _termsOf(number));
        address sender = _chance(6) ? _one(_people) : _chance(2) ? t.payer : t.payee;
        uint256 cost = t.arbiter == NOBODY ? 0 : _arbiter.COST();
        uint256 value = _chance(12) ? cost + 1 : cost;
        bool may = _mayDispute(g, t, sender) && value == cost;
        bool ok = _call(sender, address(escrow), value, abi.encodeCall(escrow.dispute, (t, "why")));
        _agree("E3", "dispute", ok, may);
        if (!ok) return;
        _lose(NOBODY, sender, value);
        (g.state, g.rulingBy) = (State.Disputed, uint40(_time) + t.rulingTime);
        _number(address(escrow), bytes32(number), g.milestone);
    }

    function _mayDispute(Ghost storage g, Terms memory t, address sender) internal view returns (bool) {
        (bool judged, uint256 from) = _silence(g, t);
        bool open_ = !judged && _time > from && _time <= from + t.disputeTime;
        bool party = sender == t.payer || sender == t.payee;
        return party && g.state == State.Delivered && t.arbiter != NOBODY && open_ && _isFresh(address(escrow));
    }

    function _ruledDeal(uint256 number, uint8 milestone, uint256 ruling) internal override {
        Ghost storage g = _deals[number];
        if (!_awaitsDeal(number, milestone, 0) || ruling == 0 || ruling > 3) return;
        g.state = [State.RuledPay, State.RuledRefund, State.RuledHalf][ruling - 1];
        ++count[[bytes32("rulePay"), "ruleRefund", "ruleHalf"][ruling - 1]];
    }

    function _awaitsDeal(uint256 number, uint8 milestone, uint256 slack) internal view override returns (bool) {
        Ghost storage g = _deals[number];
        return g.state == State.Disputed && _time <= g.rulingBy + slack && milestone == g.milestone;
    }

    function expire(uint256 seed) public step(seed) {
        (bool any, uint256 number) = _deal(_chance(3) ? _isLiving : _isExpired);
        if (!any) return;
        _squeeze();
        _expire(number, _one(_people));
    }

    function _expire(uint256 number, address sender) internal returns (bool ok) {
        (Ghost storage g, Terms memory t) = (_deals[number], _termsOf(number));
        bool may = _mayExpire(g, t);
        ok = _call(sender, address(escrow), 0, abi.encodeCall(escrow.expire, (t)));
        _agree("E3", g.state == State.Started ? bytes32("undelivered") : bytes32("silence"), ok, may);
        if (!ok) return false;
        if (g.state != State.Started && t.silenceShare == WHOLE) _paid(g, t);
        else _split(g, t, g.state == State.Started ? 0 : t.silenceShare);
    }

    function _mayExpire(Ghost storage g, Terms memory t) internal view returns (bool) {
        if (g.state == State.Started) return _time > _deliverBy(g, t);
        if (g.state == State.Disputed) return _time > g.rulingBy;
        (bool judged, uint256 from) = _silence(g, t);
        return g.state == State.Delivered && !judged && _time > from + t.disputeTime;
    }

    /// Both parties sign other terms; or one of them, or for another amount, or somebody else does.
    function amend(uint256 seed) public step(seed) {
        if (_deals.length == 0 || _deals.length >= DEALS || !_chance(2)) return;
        (, uint256 number) = _deal(_isLiving);
        (Ghost storage g, Terms memory t) = (_deals[number], _termsOf(number));
        Terms memory to = _newTerms(t.payer, t.payee, t.token);
        if (_later(to) >= g.unpaid) to.milestones = new Milestone[](0);
        to.amount = g.unpaid;
        bool may = _living(g);
        if (_chance(4)) (to, may) = (_badChange(to), false);
        (bool agreed, bool ok) = _sendAmendment(g.id, t, to);
        _agree("E6", "amend", ok, may && agreed);
        if (!ok) return;
        (g.moved, g.unpaid) = (g.unpaid, 0);
        _ended(g);
        _born(to, _dealIdOf(to));
    }

    function _sendAmendment(bytes32 from, Terms memory t, Terms memory to) internal returns (bool agreed, bool ok) {
        address sender = _chance(2) ? _stranger : _chance(2) ? t.payer : t.payee;
        address first = _chance(6) ? _stranger : t.payer;
        address second = _chance(6) ? _one(_parties) : t.payee;
        bytes memory a = _signAmendment(first, from, _dealIdOf(to));
        bytes memory b = _signAmendment(second, _chance(12) ? bytes32(_luck) : from, _dealIdOf(to));
        agreed = (sender == t.payer || first == t.payer);
        agreed =
            agreed && (sender == t.payee || keccak256(b) == keccak256(_signAmendment(t.payee, from, _dealIdOf(to))));
        ok = _call(sender, address(escrow), 0, abi.encodeCall(escrow.amend, (t, to, "brief", a, b)));
    }

    function withdrawCredit(uint256 seed) public step(seed) {
        (address token, address account) = (_tokens[_draw(3)], _one(_parties));
        for (uint256 i = 0; i < PARTIES * 3 && (_credit[token][account] == 0 || _refuses(token, account)); ++i) {
            (token, account) = (_tokens[i % 3], _parties[i / 3]);
        }
        _squeeze();
        _withdrawCredit(token, account);
    }

    function _withdrawCredit(address token, address account) internal {
        bool may = _credit[token][account] != 0 && !_refuses(token, account);
        bytes memory data = abi.encodeCall(escrow.withdraw, (token, account));
        bool ok = _call(_one(_people), address(escrow), 0, data);
        _agree("E8", "withdrawCredit", ok, may);
        if (ok) _credit[token][account] = 0;
    }

    /* TIME, AND WHO ASKS ABOUT WHAT */

    function _subjectToAsk() internal override returns (uint256) {
        (bool any, uint256 number) = _deal(_isDelivered);
        address policy = any ? _termsOf(number).policy : NOBODY;
        if (policy == NOBODY || _chance(4)) return super._subjectToAsk();
        return _ask(_subjectOf(_deals[number]), policy);
    }

    /// Seconds, hours, a day; or to the second at which the next time of a deal, a question or a stake is up, or the one
    /// after.
    function wait(uint256 seed) public step(seed) {
        uint256 how = _draw(16);
        uint256 time = _time + _draw(how < 2 ? 3 : how < 4 ? 1 hours : 1 days);
        if (how > 4) time = _nextTime(how % 2 == 0) + _draw(2);
        if (how > 11 && _asked.length != 0) time = _lastSecond(_asked[_draw(_asked.length)]) + _draw(2);
        uint40 leavesAt = _staked[_leaver()].leavesAt;
        if (how == 15 && leavesAt != 0) time = leavesAt - 1 + _draw(2);
        if (time >= _time && time < _time + 20 days) _warp(time);
    }

    /// What may be done at the last moment, or just too late.
    function brink(uint256 seed) external {
        wait(seed);
        uint256 what = seed % 9;
        if (what == 0) deliver(seed);
        else if (what == 1) dispute(seed);
        else if (what == 2) expire(seed);
        else if (what == 3) settle(seed);
        else if (what == 4) submit(seed);
        else if (what == 5) challenge(seed);
        else if (what == 6) rule(seed);
        else if (what == 7) request(seed);
        else _brinkOfStake();
    }

    function _brinkOfStake() internal {
        uint40 leavesAt = _staked[_leaver()].leavesAt;
        if (leavesAt > _time && leavesAt < _time + 20 days) _warp(leavesAt - 1 + _draw(2));
        _withdrawStake(_leaver());
        _watch();
    }

    /// The first time that is still to come; now for none.
    function _nextTime(bool verdicts) internal view returns (uint256 first) {
        for (uint256 i = 0; i < _deals.length; ++i) {
            uint256 time = _nextTimeOf(_deals[i], _termsOf(i), verdicts);
            if (time > _time && (first == 0 || time < first)) first = time;
        }
        if (first == 0) first = _time;
    }

    function _nextTimeOf(Ghost storage g, Terms memory t, bool verdicts) internal view returns (uint256) {
        if (!_living(g)) return 0;
        if (g.state == State.Delivered && verdicts) return _verdictBy(g, t);
        uint256 endableAt = _endableAt(g, t);
        return endableAt == 0 ? 0 : endableAt - 1;
    }

    /* WHAT FITS NOW */

    /// A deal that fits, from a random one on; one in eight times any deal.
    function _deal(function(uint256) internal view returns (bool) fits) internal returns (bool any, uint256 number) {
        uint256 many = _deals.length;
        if (many == 0) return (false, 0);
        uint256 from = _draw(many);
        if (_chance(8)) return (true, from);
        for (uint256 i = 0; i < many; ++i) {
            number = (from + i) % many;
            if (fits(number)) return (true, number);
        }
        return (false, 0);
    }

    function _isLiving(uint256 number) internal view returns (bool) {
        return _living(_deals[number]);
    }

    function _isStarted(uint256 number) internal view returns (bool) {
        return _deals[number].state == State.Started && _time <= _deliverBy(_deals[number], _termsOf(number));
    }

    function _isDelivered(uint256 number) internal view returns (bool) {
        return _deals[number].state == State.Delivered;
    }

    function _isQuiet(uint256 number) internal view returns (bool) {
        Terms memory t = _termsOf(number);
        return _mayDispute(_deals[number], t, t.payer);
    }

    function _isSettleable(uint256 number) internal view returns (bool) {
        return _maySettle(_deals[number], _termsOf(number));
    }

    function _isExpired(uint256 number) internal view returns (bool) {
        return _mayExpire(_deals[number], _termsOf(number));
    }

    function _livingDeals() internal view returns (uint256 many) {
        for (uint256 i = 0; i < _deals.length; ++i) {
            if (_living(_deals[i])) ++many;
        }
    }

    /* THE END */

    /// A stranger ends every deal at the first second in which the rules let him; then all that is owed is taken out.
    function end() external {
        require(msg.sender == OWNER);
        _limit = 0;
        for (uint256 i = 0; i < _deals.length; ++i) {
            _endDeal(i);
        }
        _calm();
        _takeCredits();
        _takeFees();
        _takeStakes();
    }

    function _endDeal(uint256 number) internal {
        Ghost storage g = _deals[number];
        for (uint256 i = 0; i < 8 && _living(g); ++i) {
            uint256 time = _endableAt(g, _termsOf(number));
            if (time > _time) _warp(time);
            bool ok = _settle(number, _stranger);
            _rule("E6", ok || _expire(number, _stranger));
            _watch();
        }
        _rule("E6", !_living(g));
    }

    function _calm() internal {
        for (uint256 i = 0; i < PARTIES; ++i) {
            Token(_tokens[2]).setBlocked(_parties[i], false);
            if (_parties[i].code.length != 0) Party(payable(_parties[i])).setRefuses(false);
        }
        Party(payable(_nodes[1])).setRefuses(false);
    }

    function _takeCredits() internal {
        for (uint256 i = 0; i < PARTIES * 3; ++i) {
            _withdrawCredit(_tokens[i % 3], _parties[i / 3]);
        }
        _watch();
        for (uint256 i = 0; i < 3; ++i) {
            _rule("E1", _holds(_tokens[i], address(escrow)) == _forced[_tokens[i]][address(escrow)]);
        }
    }

    /// Less than 32 wei of each question remain.
    function _takeFees() internal {
        _warp(_time + 14 days);
        uint256 rest = _forced[NOBODY][address(oracle)];
        for (uint256 i = 0; i < _asked.length; ++i) {
            Verdict memory v = _last[_asked[i].key];
            for (uint8 round = 0; round <= v.round; ++round) {
                _withdrawFees(_asked[i], round);
                _watch();
            }
            rest += 31;
        }
        _rule("V8", address(oracle).balance <= rest);
    }

    function _takeStakes() internal {
        for (uint256 i = 0; i < _nodes.length; ++i) {
            _leave(_nodes[i]);
        }
        _warp(_time + 14 days);
        for (uint256 i = 0; i < _people.length; ++i) {
            _withdrawStake(_people[i]);
        }
        _watch();
        _rule("N1", address(nodes).balance == _reward[NOBODY] + _forced[NOBODY][address(nodes)]);
    }
}
