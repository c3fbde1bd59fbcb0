// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Attestation, Equivocation, Policy, Request, Stage, Verdict} from "../../../../contracts/interfaces/IOracle.sol";
import {Outcome} from "../../../../contracts/interfaces/IVerdicts.sol";
import {NodeWorld} from "./NodeWorld.sol";

/// All that requesters, challengers, arbiters and whoever submits may try. Honest nodes sign the truth only.
abstract contract VerdictWorld is NodeWorld {
    /// Attestations that somebody sends.
    struct Certificate {
        uint32 signers;
        bytes data;
        bool genuine;
        uint256 lowest;
        uint256 highest;
        uint256 count;
    }

    struct Dispute {
        address consumer;
        uint256 id;
        /// Key of a verdict; number of a deal, and of its milestone.
        bytes32 about;
        uint8 milestone;
    }

    uint256 internal constant LOOSE = 3;
    uint256 internal constant FORGERIES = 13;

    Dispute[] internal _disputes;
    mapping(address consumer => mapping(uint256 id => bool)) internal _numbered;
    mapping(bytes32 equivocation => bool) internal _slashedFor;

    function _truth(bytes32 subject) internal pure returns (bool) {
        return uint256(subject) % 4 != 0;
    }

    /* VERDICTS */

    /// About a delivery, or something else.
    function request(uint256 seed) public step(seed) {
        Asked memory q = _asked[_subjectToAsk()];
        Policy memory p = _policyOf(q.policy);
        Verdict memory v = _last[q.key];
        uint256 value = _chance(12) ? uint256(p.fee) + 1 : p.fee;
        address sender = _chance(3) ? _stranger : _one(_parties);
        bool may = q.policy != _policies[POLICIES] && value == p.fee && (v.requestedAt == 0 || _lapsed(v, q.policy));
        may = may && p.seats.length - _bits(_unfit(q.policy)) >= p.k;
        bool ok = _call(sender, address(oracle), value, abi.encodeCall(oracle.request, (q.subject, q.policy)));
        _agree("V4", v.requestedAt == 0 ? bytes32("request") : bytes32("requestAgain"), ok, may);
        if (!ok) return;
        _succeeded("request", q.key);
        _lose(NOBODY, sender, value);
        if (p.fee != 0) _requester[q.key][v.requestedAt == 0 ? 0 : v.round + 1] = sender;
    }

    function _subjectToAsk() internal virtual returns (uint256) {
        if (_asked.length > LOOSE && _chance(3)) return _draw(_asked.length);
        return _ask(keccak256(abi.encode("loose", _draw(LOOSE))), _one(_policies));
    }

    function submit(uint256 seed) public step(seed) {
        (bool any, Asked memory q) = _pick(_isOpen);
        if (!any) return;
        Policy memory p = _policyOf(q.policy);
        Verdict memory v = _last[q.key];
        Certificate memory c = _certify(q, v, p);
        bool pass = c.lowest >= p.passScore;
        bool may = c.genuine && c.highest <= 100 && c.signers & v.suspended == 0 && c.signers >> p.seats.length == 0;
        may = may && v.requestedAt != 0 && v.outcome == Outcome.None && !_lapsed(v, q.policy);
        may = may && (pass ? c.count >= p.k : c.highest < p.passScore && c.count > p.seats.length - p.k);
        bytes memory data = abi.encodeCall(oracle.submit, (q.subject, q.policy, c.signers, c.data));
        bool ok = _call(_one(_people), address(oracle), 0, data);
        _agree("V1", pass ? bytes32("pass") : bytes32("fail"), ok, may);
        if (!ok) return;
        _succeeded("submit", q.key);
        Verdict memory now_ = oracle.recordOf(q.subject, q.policy);
        _rule("V1", now_.outcome == (pass ? Outcome.Pass : Outcome.Fail) && now_.signers == c.signers);
        _rule("V1", now_.finalAt == _time + p.challengeTime && now_.bound == (pass ? c.lowest : c.highest));
        _rule("VT", (now_.outcome == Outcome.Pass) == _truth(q.subject));
    }

    /// All sign the truth; some seats do; liars lie among others; alone; with one forged attestation.
    function _certify(Asked memory q, Verdict memory v, Policy memory p) internal returns (Certificate memory c) {
        uint256 how = _draw(8);
        uint256 mask = ((1 << p.seats.length) - 1) & ~uint256(v.suspended);
        if (how == 4) mask = _draw(1 << (p.seats.length + 1));
        if (how == 5) mask = 31;
        bool lie = how >= 6;
        uint256 forged = how == 7 || (how < 6 && _chance(6)) ? _draw(NODE_COUNT) : NODE_COUNT;
        (c.lowest, c.genuine) = (255, true);
        for (uint256 seat = 0; seat < 32; ++seat) {
            bool liar = seat < p.seats.length && _liar[p.seats[seat].node];
            if (mask >> seat & 1 == 1 && (how != 6 || liar)) _sayInto(c, q, v, p, seat, lie, forged == seat);
        }
    }

    function _sayInto(
        Certificate memory c,
        Asked memory q,
        Verdict memory v,
        Policy memory p,
        uint256 seat,
        bool lie,
        bool forged
    ) internal {
        address node = seat < p.seats.length ? p.seats[seat].node : _stranger;
        bool pass = _truth(q.subject) != (lie && (_liar[node] || forged));
        Attestation memory said = Attestation(Request(q.subject, q.policy, v.round), 0, bytes32(_luck), v.requestedAt);
        said.score = uint8(pass ? p.passScore + _draw(101 - p.passScore) : _draw(p.passScore));
        if (_liar[node] && lie && pass && _chance(8)) said.score = 101;
        bytes memory attestation = _attest(_secretOf[node], address(oracle), said);
        c.data = bytes.concat(c.data, forged ? _forge(node, said, attestation) : attestation);
        if (forged) c.genuine = false;
        c.signers |= uint32(1) << uint8(seat);
        if (said.score < c.lowest) c.lowest = said.score;
        if (said.score > c.highest) c.highest = said.score;
        ++c.count;
    }

    /// Not what this seat says of this request, though it says the same score.
    function _forge(address node, Attestation memory said, bytes memory good) internal returns (bytes memory) {
        uint256 how = _draw(FORGERIES);
        uint256 secret = how == 0 ? STRANGER : _secretOf[node];
        if (how >= 6) return _mangle(how, said, good);
        if (how == 1) ++said.request.round;
        if (how == 2) said.request.subject = keccak256(abi.encode(said.request.subject));
        if (how == 3) said.request.policy = address(uint160(said.request.policy) ^ 1);
        if (how == 4) ++said.issuedAt;
        bytes memory forged = _attest(secret, how == 5 ? address(escrow) : address(oracle), said);
        if (how == 1) --said.request.round;
        if (how == 4) --said.issuedAt;
        return forged;
    }

    function _mangle(uint256 how, Attestation memory said, bytes memory good) internal pure returns (bytes memory) {
        bytes memory bad = bytes.concat(good);
        if (how == 6) bad[65] ^= 0x80;
        if (how == 7) bad[0] = bytes1(said.score ^ 1);
        if (how == 8) bad[1] ^= 0x01;
        if (how == 9) return bytes.concat(good, hex"00");
        if (how == 10) return abi.encodePacked(said.score, said.evidence, uint256(0), uint256(0));
        if (how == 11) return _highS(said, good);
        if (how == 12) bad[40] ^= 0x10;
        return bad;
    }

    /// The malleable twin (r, n - s, other parity), as far as 255 bits hold it.
    function _highS(Attestation memory said, bytes memory good) internal pure returns (bytes memory) {
        (bytes32 r, uint256 vs) = (_word(good, 33), uint256(_word(good, 65)));
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        uint256 s = order - (vs & (type(uint256).max >> 1));
        return abi.encodePacked(said.score, said.evidence, r, s ^ ((vs >> 255 ^ 1) << 255));
    }

    function _word(bytes memory data, uint256 offset) internal pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := mload(add(add(data, 0x20), offset))
        }
    }

    /* CHALLENGES */

    function challenge(uint256 seed) public step(seed) {
        (bool any, Asked memory q) = _pick(_isDecided);
        if (!any) return;
        Policy memory p = _policyOf(q.policy);
        Verdict memory v = _last[q.key];
        address sender = _one(_parties);
        uint256 value = p.bond + (p.arbiter == NOBODY ? 0 : _arbiter.COST()) + (_chance(12) ? 1 : 0);
        bool may = v.stage == Stage.Unchallenged && _time < v.finalAt && p.arbiter != NOBODY;
        may = may && value == p.bond + _arbiter.COST() && _isFresh(address(oracle));
        bool ok = _call(sender, address(oracle), value, abi.encodeCall(oracle.challenge, (q.subject, q.policy, "why")));
        _agree("V5", "challenge", ok, may);
        if (!ok) return;
        _succeeded("challenge", q.key);
        _lose(NOBODY, sender, value);
        (_challenger[q.key], _rulingBy[q.key]) = (sender, uint40(_time) + p.rulingTime);
        _number(address(oracle), q.key, 0);
    }

    /// The number that the arbiter gives next is one that this contract has not had from it.
    function _isFresh(address consumer) internal view returns (bool) {
        return !_numbered[consumer][_arbiter.disputes() + (_arbiter.repeats() ? 0 : 1)];
    }

    function _number(address consumer, bytes32 about, uint8 milestone) internal {
        _disputes.push(Dispute(consumer, _arbiter.disputes(), about, milestone));
        _numbered[consumer][_arbiter.disputes()] = true;
    }

    /// The arbiter, or a stranger, rules anything on anything, at any time, as often as he likes.
    function rule(uint256 seed) public step(seed) {
        if (_disputes.length == 0) return;
        Dispute memory d = _disputes[_chance(3) ? _draw(_disputes.length) : _waitingDispute()];
        uint256 ruling = _chance(8) ? type(uint256).max * _draw(2) : 1 + _draw(4);
        address sender = _chance(8) ? _one(_people) : address(_arbiter);
        if (_chance(12)) d.id += 1000;
        bytes memory data = abi.encodeWithSignature("rule(uint256,uint256)", d.id, ruling);
        bool ok = _call(sender, d.consumer, 0, data);
        _agree("V5", "rule", ok, sender == address(_arbiter) && d.id < 1000);
        if (!ok) return;
        if (d.consumer == address(oracle)) _ruledVerdict(d.about, ruling);
        else _ruledDeal(uint256(d.about), d.milestone, ruling);
    }

    /// The last second in which a question may be answered, challenged or ruled on; now when it is past.
    function _lastSecond(Asked memory q) internal view returns (uint256 time) {
        Verdict memory v = _last[q.key];
        bool open_ = v.outcome == Outcome.None;
        time = open_ ? v.requestedAt + _policyOf(q.policy).submitTime : uint256(_lastEffective[q.key]);
        if (!open_ && time != 0) --time;
        if (time < _time) time = _time;
    }

    /// The newest on which a ruling would count, or would have a second ago; else the first.
    function _waitingDispute() internal view returns (uint256 number) {
        for (number = _disputes.length - 1; number != 0; --number) {
            Dispute memory d = _disputes[number];
            bool verdict = d.consumer == address(oracle);
            if (verdict ? _awaitsVerdict(d.about, 1) : _awaitsDeal(uint256(d.about), d.milestone, 1)) return number;
        }
    }

    function _awaitsVerdict(bytes32 key, uint256 slack) internal view returns (bool) {
        return _last[key].stage == Stage.Challenged && _time < _rulingBy[key] + slack;
    }

    function _awaitsDeal(uint256 number, uint8 milestone, uint256 slack) internal view virtual returns (bool);

    function _ruledVerdict(bytes32 key, uint256 ruling) internal {
        if (!_awaitsVerdict(key, 0)) return;
        _succeeded("ruleVerdict", key);
        ++count[
            ruling == 1
                ? bytes32("uphold")
                : ruling == 2 ? bytes32("annul") : ruling == 3 ? bytes32("overturn") : bytes32("decline")
        ];
    }

    function _ruledDeal(uint256 number, uint8 milestone, uint256 ruling) internal virtual;

    /// Somebody shows two attestations of a liar; or of an honest node, which takes a forgery.
    function equivocate(uint256 seed) public step(seed) {
        (bool any, Asked memory q) = _pick(_isRequested);
        if (!any) return;
        Policy memory p = _policyOf(q.policy);
        uint8 seat = uint8(_draw(p.seats.length + (_chance(8) ? 1 : 0)));
        address node = seat < p.seats.length ? p.seats[seat].node : _stranger;
        Equivocation memory e = _equivocation(q, _last[q.key], p, seat, node);
        bool may = seat < p.seats.length && _liar[node] && q.policy != _policies[POLICIES];
        may = may && e.passing.length == 97 && uint8(e.passing[0]) >= p.passScore;
        Verdict memory v = _last[q.key];
        may = may && _takable(node, address(oracle), p.slash) != 0;
        may = may && (e.request.round < v.round || e.issuedAt == v.requestedAt) && v.requestedAt != 0;
        bytes32 once = keccak256(abi.encode(e.request, e.issuedAt, node));
        address sender = _one(_people);
        bool ok = _call(sender, address(oracle), 0, abi.encodeCall(oracle.slashEquivocation, (e)));
        _agree("N3", "equivocation", ok, may && !_slashedFor[once]);
        if (!ok) return;
        _slashedFor[once] = true;
        _takeStake(node, address(oracle), p.slash, sender, 16);
    }

    function _equivocation(Asked memory q, Verdict memory v, Policy memory p, uint8 seat, address node)
        internal
        returns (Equivocation memory e)
    {
        e.request = Request(q.subject, q.policy, uint8(_draw(uint256(v.round) + 1)));
        (e.seat, e.issuedAt) = (seat, v.requestedAt + (_chance(6) ? 1 : 0));
        e.passing = _side(e, p, node, true);
        e.failing = _side(e, p, node, false);
        if (!_liar[node] || !_chance(4)) return e;
        if (_chance(2)) e.passing = e.failing;
        else e.passing = bytes.concat(e.passing, e.failing);
    }

    /// A liar signs both sides; an honest node the true one, the other is forged or of the true side too.
    function _side(Equivocation memory e, Policy memory p, address node, bool pass) internal returns (bytes memory) {
        Request memory asked = Request(e.request.subject, e.request.policy, e.request.round);
        Attestation memory said = Attestation(asked, 0, bytes32(_luck), e.issuedAt);
        bool truth = _truth(e.request.subject);
        said.score = uint8(pass ? p.passScore + _draw(101 - p.passScore) : _draw(p.passScore));
        if (_liar[node] || pass == truth) return _attest(_secretOf[node], address(oracle), said);
        if (_chance(2)) return _forge(node, said, _attest(_secretOf[node], address(oracle), said));
        said.score = uint8(truth ? p.passScore : p.passScore - 1);
        return _attest(_secretOf[node], address(oracle), said);
    }

    /* PAYMENTS */

    function withdrawFees(uint256 seed) public step(seed) {
        (bool any, Asked memory q) = _pick(_isRequested);
        if (!any) return;
        _squeeze();
        _withdrawFees(q, uint8(_draw(uint256(_last[q.key].round) + (_chance(8) ? 2 : 1))));
    }

    function _withdrawFees(Asked memory q, uint8 round) internal {
        Verdict memory v = oracle.recordOf(q.subject, q.policy);
        bool may = _payable(q, v, round) && _pay(q, v, round, false);
        address sender = _one(_people);
        // Whoever refuses coin does not ask for it.
        if (_refuses(NOBODY, sender)) sender = _stranger;
        bool ok = _call(sender, address(oracle), 0, abi.encodeCall(oracle.withdraw, (q.subject, q.policy, round)));
        _agree("V8", "withdrawFees", ok, may);
        if (!ok) return;
        _succeeded("withdrawFees", q.key);
        _pay(q, v, round, true);
    }

    function _payable(Asked memory q, Verdict memory v, uint8 round) internal view returns (bool) {
        if (v.requestedAt == 0 || round > v.round) return false;
        if (round < v.round || _lapsed(v, q.policy)) return true;
        return v.outcome != Outcome.None && _time >= _effectiveAt(q.key, v);
    }

    /// Whether anything is due to anybody who takes it; `really`: it is paid.
    function _pay(Asked memory q, Verdict memory v, uint8 round, bool really) internal returns (bool any) {
        Policy memory p = _policyOf(q.policy);
        bool lapsed = round < v.round || v.outcome == Outcome.None;
        if (lapsed || _reversed(v.stage)) any = _payFee(q.key, round, p.fee, really);
        if (lapsed) return any;
        if (v.stage == Stage.Overturned) any = _slashSigners(v, p, _challenger[q.key], really) || any;
        else if (v.stage != Stage.Annulled) any = _paySigners(v, p, really) || any;
        if (v.stage != Stage.Upheld) any = _payBond(q.key, p.bond, really) || any;
    }

    function _payFee(bytes32 key, uint8 round, uint256 fee, bool really) internal returns (bool) {
        address requester = _requester[key][round];
        if (requester == NOBODY || _refuses(NOBODY, requester)) return false;
        if (!really) return true;
        delete _requester[key][round];
        _gain(NOBODY, requester, fee);
        ++count["feeReturned"];
        return true;
    }

    function _payBond(bytes32 key, uint256 bond, bool really) internal returns (bool) {
        address challenger = _challenger[key];
        if (challenger == NOBODY || (bond != 0 && _refuses(NOBODY, challenger))) return false;
        if (!really) return true;
        delete _challenger[key];
        _gain(NOBODY, challenger, bond);
        ++count["bondReturned"];
        return true;
    }

    function _paySigners(Verdict memory v, Policy memory p, bool really) internal returns (bool any) {
        uint256 share = _pot(v, p) / _bits(v.signers);
        for (uint256 i = 0; i < p.seats.length && share != 0; ++i) {
            bool due = v.signers >> i & 1 == 1 && v.paid >> i & 1 == 0;
            if (!due || _refuses(NOBODY, p.seats[i].node)) continue;
            any = true;
            if (really) _gain(NOBODY, p.seats[i].node, share);
            if (really) ++count["signerPaid"];
        }
    }

    function _slashSigners(Verdict memory v, Policy memory p, address challenger, bool really)
        internal
        returns (bool any)
    {
        for (uint256 i = 0; i < p.seats.length; ++i) {
            if (v.signers >> i & 1 == 0 || v.paid >> i & 1 == 1) continue;
            any = true;
            if (!really) continue;
            if (_takeStake(p.seats[i].node, address(oracle), p.slash, challenger, 2) != 0) ++count["slashSigner"];
        }
    }

    /* INTERNAL: WHAT FITS NOW */

    /// A question that fits, from a random one on; one in eight times any question.
    function _pick(function(Verdict memory) internal view returns (bool) fits)
        internal
        returns (bool any, Asked memory q)
    {
        uint256 many = _asked.length;
        if (many == 0) return (false, q);
        uint256 from = _draw(many);
        bool whatever = _chance(8);
        for (uint256 i = 0; i < many; ++i) {
            q = _asked[(from + i) % many];
            if (whatever || fits(_last[q.key])) return (true, q);
        }
        return (false, q);
    }

    function _isRequested(Verdict memory v) internal pure returns (bool) {
        return v.requestedAt != 0;
    }

    function _isOpen(Verdict memory v) internal view returns (bool) {
        return v.requestedAt != 0 && v.outcome == Outcome.None && _time <= v.requestedAt + 2 days;
    }

    function _isDecided(Verdict memory v) internal view returns (bool) {
        return v.stage == Stage.Unchallenged && _time <= v.finalAt;
    }
}
