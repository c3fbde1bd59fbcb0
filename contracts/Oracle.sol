// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";
import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IArbitrable, IArbitrator} from "./interfaces/IArbitration.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";
import {Attestation, Challenge, Equivocation, IOracle, Policy, Request, Stage, Verdict} from "./interfaces/IOracle.sol";
import {IOracleNodes} from "./interfaces/IOracleNodes.sol";
import {IVerdicts, Outcome} from "./interfaces/IVerdicts.sol";
import {Attestations} from "./libraries/Attestations.sol";
import {Disputes} from "./libraries/Disputes.sol";
import {Payments} from "./libraries/Payments.sol";
import {PackedVerdict, VerdictStorage, packRequest} from "./libraries/PackedVerdict.sol";
import {PolicyCode} from "./libraries/PolicyCode.sol";

/// @title Oracle
/// @notice See IOracle.
contract Oracle is IOracle, EIP712, ReentrancyGuardTransient {
    using PolicyCode for bytes;
    using VerdictStorage for Verdict;

    /// Seconds that remain at the very least to have overturned signers slashed before they can withdraw.
    uint256 internal constant SLASH_TIME = 1 days;
    /// What a slash rewards: one part in so many. A liar may report itself, so that the smaller one is small.
    uint256 internal constant CHALLENGER_PART = 2;
    uint256 internal constant REPORTER_PART = 16;

    /// @inheritdoc IOracle
    IOracleNodes public immutable NODES;
    /// @inheritdoc IOracle
    IModelRegistry public immutable MODELS;

    /// (subject, policy), and the round in question.
    struct Place {
        bytes32 subject;
        address policy;
        uint8 round;
        bytes32 key;
    }

    mapping(address policy => uint32) internal _suspended;
    mapping(bytes32 key => Verdict) internal _verdicts;
    mapping(bytes32 request => address) internal _requesters;
    mapping(bytes32 key => Challenge) internal _challenges;
    mapping(bytes32 dispute => bytes32 key) internal _disputes;
    mapping(bytes32 requestAndSeat => bool) internal _equivocated;

    constructor(IOracleNodes nodes, IModelRegistry models) EIP712("Countersign", "1") {
        NODES = nodes;
        MODELS = models;
    }

    /* POLICIES */

    /// @inheritdoc IOracle
    function createPolicy(Policy calldata terms) external returns (address policy) {
        PolicyCode.requireSound(terms, NODES.UNBONDING() - SLASH_TIME);
        bytes memory initCode = PolicyCode.initCode(PolicyCode.encode(terms));
        policy = Create2.computeAddress(0, keccak256(initCode));
        if (policy.code.length != 0) return policy;

        Create2.deploy(0, 0, initCode);
        emit PolicyCreated(policy, terms.check, terms);
    }

    /// @inheritdoc IOracle
    function suspendSeat(address policy, uint8 seat) external {
        Policy memory terms = policyOf(policy);
        bool may = seat < terms.seats.length
            && (msg.sender == terms.seats[seat].node || MODELS.timesOf(terms.seats[seat].model).revokedAt != 0);
        require(may, MayNotSuspend(msg.sender, seat));

        _suspended[policy] |= uint32(1) << seat;
        emit SeatSuspended(policy, seat, msg.sender);
    }

    /* VERDICTS */

    /// @inheritdoc IOracle
    function request(bytes32 subject, address policy) external payable {
        bytes memory code = PolicyCode.read(policy);
        Verdict storage record = _verdicts[_keyOf(subject, policy)];
        uint256 number = _nextRound(record.load(), code, subject, policy);
        uint256 fee = code.word(PolicyCode.FEE);
        require(msg.value == fee, WrongPayment(msg.value, fee));
        uint32 suspended = _suspended[policy] | NODES.unfit(code.nodes(), address(this), code.word(PolicyCode.SLASH));
        uint256 active = code.word(PolicyCode.SEATS) - _count(suspended);
        uint256 k = code.word(PolicyCode.K);
        require(active >= k, TooFewSeats(active, uint8(k)));

        record.store(packRequest(block.timestamp, suspended, number));
        if (fee != 0) _requesters[Attestations.requestHash(subject, policy, number)] = msg.sender;
        emit Requested(subject, policy, msg.sender, uint8(number), uint40(block.timestamp), suspended);
    }

    /// @inheritdoc IOracle
    function submit(bytes32 subject, address policy, uint32 signers, bytes calldata attestations) external {
        Verdict storage record = _verdicts[_keyOf(subject, policy)];
        PackedVerdict verdict = record.load();
        require(PackedVerdict.unwrap(verdict) != 0, NotRequested(subject, policy));
        require(verdict.outcome() == Outcome.None, AlreadyDecided(verdict.outcome()));
        bytes memory code = policy.code;
        _requireOpen(verdict, code, signers);

        bytes32 asked = Attestations.requestHash(subject, policy, verdict.round());
        (Outcome outcome, uint256 bound) = _certify(code, asked, verdict.requestedAt(), signers, attestations);
        uint256 finalAt = block.timestamp + code.word(PolicyCode.CHALLENGE_TIME);
        verdict = verdict.decided(finalAt, signers, bound, outcome);
        record.store(verdict);
        emit Submitted(subject, policy, PackedVerdict.unwrap(verdict));
    }

    /// @inheritdoc IOracle
    function challenge(bytes32 subject, address policy, string calldata reason) external payable {
        bytes32 key = _keyOf(subject, policy);
        Verdict storage verdict = _verdicts[key];
        bool open = verdict.stage == Stage.Unchallenged && block.timestamp < verdict.finalAt;
        require(open, NotChallengeable(verdict.outcome, verdict.finalAt, verdict.stage));
        Policy memory terms = policyOf(policy);
        require(terms.arbiter != address(0), NoArbiter());
        uint256 cost = Disputes.costOf(terms.arbiter);
        require(msg.value == terms.bond + cost, WrongPayment(msg.value, terms.bond + cost));

        uint40 rulingBy = uint40(block.timestamp) + terms.rulingTime;
        verdict.stage = Stage.Challenged;
        _challenges[key] = Challenge(msg.sender, rulingBy);

        (uint256 disputeId, bytes32 dispute) = Disputes.open(terms.arbiter, cost);
        require(_disputes[dispute] == 0, DisputeExists(disputeId));
        _disputes[dispute] = key;
        emit Challenged(subject, policy, msg.sender, disputeId, rulingBy, reason);
    }

    /// @inheritdoc IArbitrable
    function rule(uint256 disputeId, uint256 ruling) external {
        bytes32 key = _disputes[Disputes.keyOf(msg.sender, disputeId)];
        require(key != 0, UnknownDispute(msg.sender, disputeId));
        Verdict storage verdict = _verdicts[key];
        emit Ruling(IArbitrator(msg.sender), disputeId, ruling);
        if (verdict.stage != Stage.Challenged || block.timestamp >= _challenges[key].rulingBy) return;

        (verdict.stage, verdict.outcome) = _ruled(ruling, verdict.outcome);
        verdict.ruledAt = uint40(block.timestamp);
        emit VerdictRuled(key, verdict.stage, verdict.outcome);
    }

    /// @inheritdoc IOracle
    function slashEquivocation(Equivocation calldata proof) external {
        Request calldata asked = proof.request;
        Policy memory terms = policyOf(asked.policy);
        require(proof.seat < terms.seats.length, SuspendedSeats(uint32(1) << proof.seat));
        uint256 high = _scoreOf(proof, proof.passing);
        uint256 low = _scoreOf(proof, proof.failing);
        require(low < terms.passScore && terms.passScore <= high, NoEquivocation(high, low));
        address node = terms.seats[proof.seat].node;
        bytes32 once = keccak256(abi.encode(asked, proof.issuedAt, node));
        require(!_equivocated[once], AlreadySlashed(node));
        _requireOnRecord(asked, proof.issuedAt);

        _equivocated[once] = true;
        uint256 taken = NODES.slash(node, terms.slash, msg.sender, REPORTER_PART);
        require(taken != 0, NothingTaken(node));
        emit EquivocationSlashed(asked.subject, asked.policy, node, asked.round, taken);
    }

    /* PAYMENTS */

    /// @inheritdoc IOracle
    function withdraw(bytes32 subject, address policy, uint8 round) external nonReentrant {
        Policy memory terms = policyOf(policy);
        Place memory place = Place(subject, policy, round, _keyOf(subject, policy));
        Verdict memory verdict = _verdicts[place.key];
        require(verdict.requestedAt != 0 && round <= verdict.round, NotRequested(subject, policy));
        bool done;
        if (round < verdict.round || _lapsed(verdict, terms)) {
            done = _returnFee(place, terms);
        } else {
            uint256 effectiveAt = _effectiveAt(place.key, _verdicts[place.key].load());
            require(
                verdict.outcome != Outcome.None && block.timestamp >= effectiveAt, NotEffective(uint40(effectiveAt))
            );
            done = _settle(place, terms, verdict);
        }
        require(done, NothingDue());
    }

    /// Each part is tried; whether any was done.
    function _settle(Place memory place, Policy memory terms, Verdict memory verdict) internal returns (bool done) {
        if (verdict.stage != Stage.Annulled) done = _settleSigners(place, terms, verdict);
        if (verdict.stage == Stage.Annulled || verdict.stage == Stage.Overturned) {
            done = _returnFee(place, terms) || done;
        }
        if (verdict.stage != Stage.Upheld) done = _returnBond(place, terms) || done;
    }

    function _returnFee(Place memory place, Policy memory terms) internal returns (bool paid) {
        bytes32 id = Attestations.requestHash(place.subject, place.policy, place.round);
        address requester = _requesters[id];
        if (requester == address(0)) return false;

        delete _requesters[id];
        paid = _pay(place, requester, terms.fee);
        if (!paid) _requesters[id] = requester;
    }

    function _returnBond(Place memory place, Policy memory terms) internal returns (bool paid) {
        address challenger = _challenges[place.key].challenger;
        if (challenger == address(0)) return false;

        _challenges[place.key].challenger = address(0);
        paid = _pay(place, challenger, terms.bond);
        if (!paid) _challenges[place.key].challenger = challenger;
    }

    /// Pays the signers their shares, or slashes them when the arbiter overturned what they said.
    function _settleSigners(Place memory place, Policy memory terms, Verdict memory verdict) internal returns (bool) {
        uint32 due = verdict.signers & ~verdict.paid;
        uint256 pot = uint256(terms.fee) + (verdict.stage == Stage.Upheld ? terms.bond : 0);
        bool overturned = verdict.stage == Stage.Overturned;
        if (due == 0 || (pot == 0 && !overturned)) return false;

        _verdicts[place.key].paid = verdict.signers;
        if (overturned) return _slash(place, terms, due);
        uint32 refused = _share(place, terms, due, pot / _count(verdict.signers));
        if (refused != 0) _verdicts[place.key].paid = verdict.signers & ~refused;
        return refused != due;
    }

    function _share(Place memory place, Policy memory terms, uint32 seats, uint256 amount)
        internal
        returns (uint32 refused)
    {
        for (uint256 seat = 0; seat < terms.seats.length; ++seat) {
            bool mine = seats >> seat & 1 == 1;
            if (mine && !_pay(place, terms.seats[seat].node, amount)) refused |= uint32(1 << seat);
        }
    }

    function _slash(Place memory place, Policy memory terms, uint32 seats) internal returns (bool) {
        address challenger = _challenges[place.key].challenger;
        for (uint256 seat = 0; seat < terms.seats.length; ++seat) {
            if (seats >> seat & 1 == 1) NODES.slash(terms.seats[seat].node, terms.slash, challenger, CHALLENGER_PART);
        }
        return true;
    }

    function _pay(Place memory place, address account, uint256 amount) internal returns (bool paid) {
        paid = account == msg.sender
            ? Payments.pay(address(0), account, amount)
            : Payments.push(address(0), account, amount);
        if (paid) emit FeePaid(place.subject, place.policy, account, place.round, amount);
    }

    /* VIEWS */

    /// @inheritdoc IVerdicts
    function verdictOf(bytes32 subject, address policy) external view returns (Outcome, uint40, uint40) {
        bytes32 key = _keyOf(subject, policy);
        PackedVerdict verdict = _verdicts[key].load();
        return (verdict.outcome(), uint40(verdict.finalAt()), uint40(_effectiveAt(key, verdict)));
    }

    /// @inheritdoc IOracle
    function isPolicy(address policy) external view returns (bool) {
        return PolicyCode.isPolicy(policy, policy.code);
    }

    /// @inheritdoc IOracle
    function policyOf(address policy) public view returns (Policy memory) {
        return PolicyCode.read(policy).decode();
    }

    /// @inheritdoc IOracle
    function suspendedOf(address policy) external view returns (uint32) {
        return _suspended[policy];
    }

    /// @inheritdoc IOracle
    function recordOf(bytes32 subject, address policy) external view returns (Verdict memory) {
        return _verdicts[_keyOf(subject, policy)];
    }

    /// @inheritdoc IOracle
    function challengeOf(bytes32 subject, address policy) external view returns (Challenge memory) {
        return _challenges[_keyOf(subject, policy)];
    }

    /// @inheritdoc IOracle
    function requesterOf(bytes32 subject, address policy, uint8 round) external view returns (address) {
        return _requesters[Attestations.requestHash(subject, policy, round)];
    }

    /// @inheritdoc IOracle
    function digestOf(Attestation calldata said) external view returns (bytes32) {
        bytes32 asked = Attestations.requestHash(said.request.subject, said.request.policy, said.request.round);
        return
            _hashTypedDataV4(
                keccak256(abi.encode(Attestations.TYPEHASH, asked, said.score, said.evidence, said.issuedAt))
            );
    }

    /* INTERNAL */

    /// 0, or one more than the round that lapsed.
    function _nextRound(PackedVerdict verdict, bytes memory code, bytes32 subject, address policy)
        internal
        view
        returns (uint256)
    {
        if (PackedVerdict.unwrap(verdict) == 0) return 0;
        uint256 deadline = verdict.requestedAt() + code.word(PolicyCode.SUBMIT_TIME);
        uint256 number = verdict.round();
        bool lapsed = verdict.outcome() == Outcome.None && block.timestamp > deadline && number < type(uint8).max;
        require(lapsed, AlreadyRequested(subject, policy, uint8(number)));
        return number + 1;
    }

    /// The time to submit has not ended, and every signer may sign.
    function _requireOpen(PackedVerdict verdict, bytes memory code, uint32 signers) internal view {
        uint256 deadline = verdict.requestedAt() + code.word(PolicyCode.SUBMIT_TIME);
        require(block.timestamp <= deadline, Lapsed(deadline));
        bool may = signers & verdict.suspended() == 0 && signers >> code.word(PolicyCode.SEATS) == 0;
        require(may, SuspendedSeats(signers));
    }

    /// The request was made, when the seat had its stake. Else a liar could use up the proof against itself beforehand.
    function _requireOnRecord(Request calldata asked, uint40 issuedAt) internal view {
        PackedVerdict verdict = _verdicts[_keyOf(asked.subject, asked.policy)].load();
        bool made = PackedVerdict.unwrap(verdict) != 0
            && (asked.round < verdict.round() || (asked.round == verdict.round() && issuedAt == verdict.requestedAt()));
        require(made, NotRequested(asked.subject, asked.policy));
    }

    /// The outcome that the attestations make, and its bound.
    function _certify(bytes memory code, bytes32 asked, uint256 issuedAt, uint32 signers, bytes calldata attestations)
        internal
        view
        returns (Outcome, uint256)
    {
        (uint256 lowest, uint256 highest, uint256 count) =
            Attestations.scores(_domainSeparatorV4(), asked, issuedAt, code.seats(), signers, attestations);
        uint256 pass = code.word(PolicyCode.PASS);
        bool passes = lowest >= pass;
        require(highest <= 100 && (passes || highest < pass), MixedSides(lowest, highest, uint8(pass)));
        uint256 needed = _needed(code, passes);
        require(count >= needed, NoQuorum(count, needed));
        return passes ? (Outcome.Pass, lowest) : (Outcome.Fail, highest);
    }

    function _needed(bytes memory code, bool passes) internal pure returns (uint256) {
        uint256 k = code.word(PolicyCode.K);
        return passes ? k : code.word(PolicyCode.SEATS) - k + 1;
    }

    /// What the seat attests.
    function _scoreOf(Equivocation calldata proof, bytes calldata attestation) internal view returns (uint256 score) {
        Request calldata asked = proof.request;
        bytes32 id = Attestations.requestHash(asked.subject, asked.policy, asked.round);
        uint256 seats = asked.policy.code.seats();
        uint256 signer = uint256(1) << proof.seat;
        (score,,) = Attestations.scores(_domainSeparatorV4(), id, proof.issuedAt, seats, signer, attestation);
    }

    function _ruled(uint256 ruling, Outcome outcome) internal pure returns (Stage, Outcome) {
        if (ruling == 1) return (Stage.Upheld, outcome);
        if (ruling == 2) return (Stage.Annulled, Outcome.Void);
        if (ruling == 3) return (Stage.Overturned, outcome == Outcome.Pass ? Outcome.Fail : Outcome.Pass);
        return (Stage.Declined, outcome);
    }

    function _effectiveAt(bytes32 key, PackedVerdict verdict) internal view returns (uint256) {
        Stage stage = verdict.stage();
        if (stage == Stage.Unchallenged) return verdict.finalAt();
        return stage == Stage.Challenged ? _challenges[key].rulingBy : verdict.ruledAt();
    }

    function _lapsed(Verdict memory verdict, Policy memory terms) internal view returns (bool) {
        return verdict.outcome == Outcome.None && block.timestamp > uint256(verdict.requestedAt) + terms.submitTime;
    }

    function _count(uint32 seats) internal pure returns (uint256 count) {
        for (uint256 rest = seats; rest != 0; rest &= rest - 1) {
            ++count;
        }
    }

    function _keyOf(bytes32 subject, address policy) internal pure returns (bytes32) {
        return Hashes.efficientKeccak256(subject, bytes32(uint256(uint160(policy))));
    }
}
