// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Policy, Stage, Verdict} from "../../../../contracts/interfaces/IOracle.sol";
import {Node} from "../../../../contracts/interfaces/IOracleNodes.sol";
import {Outcome} from "../../../../contracts/interfaces/IVerdicts.sol";
import {WatchMoney} from "./WatchMoney.sol";

/// Ghost state of nodes and verdicts, and the rules N1 to N4 and V1 to V8 of README.md.
/// The question of a step is looked at after the step, all others after every fourth: whatever moved is seen.
abstract contract WatchVerdicts is WatchMoney {
    struct Staked {
        address slasher;
        uint40 leavesAt;
        uint256 stake;
    }

    /// A question that was asked, or may be.
    struct Asked {
        bytes32 subject;
        address policy;
        bytes32 key;
    }

    mapping(address node => Staked) internal _staked;
    mapping(address account => uint256) internal _reward;
    /// Worlds of one test share the address.
    uint256 internal _burned = BURN.balance;

    Asked[] internal _asked;
    mapping(bytes32 key => bool) internal _known;
    mapping(bytes32 key => Verdict) internal _last;
    mapping(bytes32 key => uint40) internal _lastEffective;
    mapping(bytes32 key => uint256) internal _lastOwed;
    mapping(bytes32 key => uint40) internal _rulingBy;
    /// Who gets the bond back; 0 once settled.
    mapping(bytes32 key => address) internal _challenger;
    /// Who gets the fee of a round back, if anybody; 0 once returned.
    mapping(bytes32 key => mapping(uint8 round => address)) internal _requester;
    mapping(address policy => uint32) internal _suspended;
    /// The verb that succeeded in this step, and the question that it was about.
    bytes32 internal _did;
    bytes32 internal _didKey;

    function _succeeded(bytes32 verb, bytes32 key) internal {
        (_did, _didKey) = (verb, key);
    }

    /// One part in `part` to the beneficiary, the rest burned; gwei are whole. Only from who answers to `by`.
    function _takeStake(address node, address by, uint256 amount, address beneficiary, uint256 part)
        internal
        returns (uint256 taken)
    {
        taken = _takable(node, by, amount);
        _staked[node].stake -= taken;
        _reward[beneficiary] += taken / part;
        _burned += taken - taken / part;
    }

    function _takable(address node, address by, uint256 amount) internal view returns (uint256) {
        if (_staked[node].slasher != by) return 0;
        uint256 stake = _staked[node].stake;
        return amount < stake ? amount / 1 gwei * 1 gwei : stake;
    }

    /* NODES */

    function _watchNodes() internal {
        uint256 owed = _reward[NOBODY];
        for (uint256 i = 0; i < _nodes.length; ++i) {
            (Staked memory should, Node memory node) = (_staked[_nodes[i]], nodes.nodeOf(_nodes[i]));
            _rule("N2", node.slasher == should.slasher && node.leavesAt == should.leavesAt);
            _rule("N3", uint256(node.stake) * 1 gwei == should.stake);
            owed += should.stake;
        }
        for (uint256 i = 0; i < _people.length; ++i) {
            _rule("N4", nodes.rewardOf(_people[i]) == _reward[_people[i]]);
            owed += _reward[_people[i]];
        }
        _rule("N4", BURN.balance == _burned && nodes.rewardOf(NOBODY) == _reward[NOBODY]);
        _rule("N1", address(nodes).balance == owed + _forced[NOBODY][address(nodes)]);
    }

    /* VERDICTS */

    function _watchVerdicts() internal {
        uint256 owed = _forced[NOBODY][address(oracle)];
        for (uint256 i = 0; i < _asked.length; ++i) {
            if (_asked[i].key == _didKey || _steps % 4 == 0) _watchQuestion(_asked[i]);
            owed += _lastOwed[_asked[i].key];
        }
        _rule("V6", address(oracle).balance == owed);
        (_did, _didKey) = (0, 0);
    }

    function _watchQuestion(Asked memory q) internal {
        Verdict memory verdict = oracle.recordOf(q.subject, q.policy);
        if (verdict.requestedAt == 0) return;
        _watchVerdict(q, _last[q.key], verdict);
        _lastOwed[q.key] = _owed(q, verdict, _policyOf(q.policy));
    }

    function _watchVerdict(Asked memory q, Verdict memory was, Verdict memory now_) internal {
        bytes32 did = _didKey == q.key ? _did : bytes32(0);
        if (was.requestedAt != now_.requestedAt) _watchRequest(q, was, now_, did);
        else _watchDecision(q, was, now_, did);
        _rule("V2", was.finalAt == 0 || now_.finalAt == was.finalAt);
        _rule("V8", now_.paid & ~now_.signers == 0 && was.paid & ~now_.paid == 0);
        _watchEffect(q, was, now_);
        _last[q.key] = now_;
    }

    /// None, or lapsed, to requested: nothing is decided, and the seats that may not sign are the right ones.
    function _watchRequest(Asked memory q, Verdict memory was, Verdict memory now_, bytes32 did) internal {
        bool first = was.requestedAt == 0 && now_.round == 0;
        _rule("V4", did == "request" && now_.requestedAt == _time);
        _rule("V4", first || (_lapsed(was, q.policy) && now_.round == was.round + 1));
        _rule("V4", now_.outcome == Outcome.None && now_.stage == Stage.Unchallenged && now_.finalAt == 0);
        _rule("V4", now_.suspended == _unfit(q.policy) && now_.signers == 0 && now_.ruledAt == 0);
    }

    function _watchDecision(Asked memory q, Verdict memory was, Verdict memory now_, bytes32 did) internal {
        _rule("V4", now_.round == was.round && now_.suspended == was.suspended);
        bool decided = was.outcome == Outcome.None && now_.outcome != Outcome.None;
        bool same = was.signers == now_.signers && was.bound == now_.bound && was.finalAt == now_.finalAt;
        _rule("V1", decided ? did == "submit" && now_.stage == Stage.Unchallenged : same);
        if (was.stage != now_.stage) _watchStage(q, was, now_, did);
        else _rule("V2", decided || now_.outcome == was.outcome);
    }

    function _watchStage(Asked memory q, Verdict memory was, Verdict memory now_, bytes32 did) internal {
        if (was.stage == Stage.Unchallenged) {
            _rule("V5", did == "challenge" && now_.stage == Stage.Challenged && _time < was.finalAt);
            return _rule("V2", now_.outcome == was.outcome);
        }
        _rule("V5", did == "ruleVerdict" && was.stage == Stage.Challenged && _time < _rulingBy[q.key]);
        _rule("V5", now_.stage > Stage.Challenged && now_.ruledAt == _time);
        Outcome should = was.outcome;
        if (now_.stage == Stage.Annulled) should = Outcome.Void;
        if (now_.stage == Stage.Overturned) should = was.outcome == Outcome.Pass ? Outcome.Fail : Outcome.Pass;
        _rule("V2", now_.outcome == should);
    }

    /// What was effective stays as it was; what others read is what is stored.
    function _watchEffect(Asked memory q, Verdict memory was, Verdict memory now_) internal {
        uint40 effectiveAt = _effectiveAt(q.key, now_);
        bool final_ = was.outcome != Outcome.None && _lastEffective[q.key] <= _time;
        _rule("V3", !final_ || (now_.outcome == was.outcome && effectiveAt == _lastEffective[q.key]));
        (Outcome outcome, uint40 finalAt, uint40 said) = oracle.verdictOf(q.subject, q.policy);
        _rule("V3", outcome == now_.outcome && finalAt == now_.finalAt && said == effectiveAt);
        _lastEffective[q.key] = effectiveAt;
    }

    /// Wei that the Oracle holds for a question, from what it stores; with what does not divide among the signers.
    function _owed(Asked memory q, Verdict memory v, Policy memory p) internal view returns (uint256 owed) {
        for (uint8 round = 0; round < v.round; ++round) {
            if (oracle.requesterOf(q.subject, q.policy, round) != NOBODY) owed += p.fee;
        }
        bool asked = oracle.requesterOf(q.subject, q.policy, v.round) != NOBODY;
        if (v.outcome == Outcome.None || _reversed(v.stage)) owed += asked ? p.fee : 0;
        else owed += _pot(v, p) - _pot(v, p) / _bits(v.signers) * _bits(v.paid);
        bool bonded = v.stage != Stage.Upheld && oracle.challengeOf(q.subject, q.policy).challenger != NOBODY;
        if (bonded) owed += p.bond;
    }

    /* WHAT THE RULES SPEAK OF */

    function _pot(Verdict memory v, Policy memory p) internal pure returns (uint256) {
        return uint256(p.fee) + (v.stage == Stage.Upheld ? p.bond : 0);
    }

    /// The signers get nothing.
    function _reversed(Stage stage) internal pure returns (bool) {
        return stage == Stage.Annulled || stage == Stage.Overturned;
    }

    function _effectiveAt(bytes32 key, Verdict memory v) internal view returns (uint40) {
        if (v.stage == Stage.Unchallenged) return v.finalAt;
        return v.stage == Stage.Challenged ? _rulingBy[key] : v.ruledAt;
    }

    function _lapsed(Verdict memory v, address policy) internal view returns (bool) {
        uint256 deadline = uint256(v.requestedAt) + _policyOf(policy).submitTime;
        return v.outcome == Outcome.None && v.requestedAt != 0 && _time > deadline;
    }

    /// Seats that a request of this second suspends.
    function _unfit(address policy) internal view returns (uint32 seats) {
        Policy memory p = _policyOf(policy);
        seats = _suspended[policy];
        for (uint256 i = 0; i < p.seats.length; ++i) {
            Staked memory s = _staked[p.seats[i].node];
            if (s.slasher != address(oracle) || s.leavesAt != 0 || s.stake < p.slash) seats |= uint32(1 << i);
        }
    }

    function _ask(bytes32 subject, address policy) internal returns (uint256) {
        bytes32 key = keccak256(abi.encode(subject, policy));
        if (!_known[key]) _asked.push(Asked(subject, policy, key));
        _known[key] = true;
        return _asked.length - 1;
    }
}
