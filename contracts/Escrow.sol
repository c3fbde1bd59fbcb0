// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IArbitrable, IArbitrator} from "./interfaces/IArbitration.sol";
import {Cause, Deal, Dispute, IEscrow, Milestone, State, Terms} from "./interfaces/IEscrow.sol";
import {IVerdicts, Outcome} from "./interfaces/IVerdicts.sol";
import {Disputes} from "./libraries/Disputes.sol";
import {Flat, FlatTerms} from "./libraries/FlatTerms.sol";
import {DealStorage, PackedDeal, packDeal} from "./libraries/PackedDeal.sol";
import {Payments} from "./libraries/Payments.sol";

/// @title Escrow
/// @notice See IEscrow.
contract Escrow is IEscrow, EIP712, ReentrancyGuardTransient {
    using FlatTerms for Terms;
    using DealStorage for Deal;

    bytes32 internal constant AMENDMENT_TYPEHASH = keccak256("Amendment(bytes32 dealId,bytes32 newDealId)");
    uint256 internal constant WHOLE = 10_000;
    uint256 internal constant LONGEST = 3650 days;

    /// @inheritdoc IEscrow
    IVerdicts public immutable VERDICTS;

    mapping(bytes32 dealId => Deal) internal _deals;
    mapping(bytes32 arbiterAndId => Dispute) internal _disputes;
    mapping(address token => mapping(address account => uint256)) internal _credits;

    constructor(IVerdicts verdicts) EIP712("Countersign", "1") {
        VERDICTS = verdicts;
    }

    /* VERBS */

    /// @inheritdoc IEscrow
    function open(Terms calldata terms, string calldata briefUri) external payable {
        (bytes32 dealId, Flat flat) = _flatten(terms);
        uint256 due = flat.token() == address(0) ? flat.amount() : 0;
        require(msg.value == due, WrongPayment(msg.value, due));
        _open(dealId, terms, flat, briefUri);
        if (due == 0) _pull(flat.token(), flat.amount());
    }

    /// @inheritdoc IEscrow
    function deliver(Terms calldata terms, uint8 milestone, bytes32 delivery, string calldata uri) external {
        (bytes32 dealId, PackedDeal deal, Flat flat) = _living(terms);
        require(msg.sender == flat.payee(), NotParty(msg.sender, flat.payee()));
        require(deal.state() == State.Started, WrongState(dealId, deal.state()));
        _requireCurrent(milestone, deal);
        require(bytes20(delivery) != 0, NoDelivery());
        uint256 deadline = _deliverBy(flat, deal);
        require(block.timestamp <= deadline, TooLate(deadline));

        _deals[dealId].store(packDeal(bytes20(delivery), block.timestamp, 0, milestone, State.Delivered));
        emit Delivered(dealId, milestone, delivery, uri);
    }

    /// @inheritdoc IEscrow
    function release(Terms calldata terms, uint8 milestone) external {
        (bytes32 dealId, PackedDeal deal, Flat flat) = _living(terms);
        require(msg.sender == flat.payer(), NotParty(msg.sender, flat.payer()));
        _requireCurrent(milestone, deal);
        _payMilestone(dealId, flat, deal, Cause.Release);
    }

    /// @inheritdoc IEscrow
    function refund(Terms calldata terms) external {
        (bytes32 dealId, PackedDeal deal, Flat flat) = _living(terms);
        require(msg.sender == flat.payee(), NotParty(msg.sender, flat.payee()));
        _end(dealId, flat, deal, 0, Cause.Refund);
    }

    /// @inheritdoc IEscrow
    function settle(Terms calldata terms) external {
        (bytes32 dealId, PackedDeal deal, Flat flat) = _living(terms);
        State state = deal.state();
        if (state == State.Delivered) return _settleVerdict(dealId, flat, deal);
        if (state == State.RuledPay) return _payMilestone(dealId, flat, deal, Cause.Ruling);
        if (state == State.RuledRefund) return _end(dealId, flat, deal, 0, Cause.Ruling);
        require(state == State.RuledHalf, WrongState(dealId, state));
        _end(dealId, flat, deal, WHOLE / 2, Cause.Ruling);
    }

    /// @inheritdoc IEscrow
    function dispute(Terms calldata terms, string calldata reason) external payable {
        (bytes32 dealId, PackedDeal deal, Flat flat) = _living(terms);
        require(msg.sender == flat.payer() || msg.sender == flat.payee(), NotParty(msg.sender, flat.payer()));
        require(deal.state() == State.Delivered, WrongState(dealId, deal.state()));
        require(flat.arbiter() != address(0), NoArbiter());
        uint256 from = _silentFrom(dealId, flat, deal);
        require(block.timestamp > from, NotYet(from));
        require(block.timestamp <= from + flat.disputeTime(), TooLate(from + flat.disputeTime()));

        uint256 number = deal.milestone();
        uint256 rulingBy = block.timestamp + flat.rulingTime();
        _deals[dealId].store(packDeal(deal.delivery(), deal.deliveredAt(), rulingBy, number, State.Disputed));
        uint256 disputeId = _createDispute(Dispute(dealId, uint8(number)), flat.arbiter());
        emit Disputed(dealId, msg.sender, disputeId, uint40(rulingBy), reason);
    }

    /// @inheritdoc IArbitrable
    function rule(uint256 disputeId, uint256 ruling) external {
        Dispute memory asked = _disputes[Disputes.keyOf(msg.sender, disputeId)];
        require(asked.dealId != 0, UnknownDispute(msg.sender, disputeId));
        PackedDeal deal = _deals[asked.dealId].load();
        emit Ruling(IArbitrator(msg.sender), disputeId, ruling);
        bool counts =
            deal.state() == State.Disputed && deal.milestone() == asked.milestone && block.timestamp <= deal.rulingBy();
        if (!counts || ruling == 0 || ruling > Disputes.RULINGS) return;

        State state = ruling == 1 ? State.RuledPay : ruling == 2 ? State.RuledRefund : State.RuledHalf;
        _deals[asked.dealId].store(deal.withState(state));
        emit DealRuled(asked.dealId, state);
    }

    /// @inheritdoc IEscrow
    function expire(Terms calldata terms) external {
        (bytes32 dealId, PackedDeal deal, Flat flat) = _living(terms);
        State state = deal.state();
        if (state == State.Started) {
            uint256 deadline = _deliverBy(flat, deal);
            require(block.timestamp > deadline, NotYet(deadline));
            return _end(dealId, flat, deal, 0, Cause.Undelivered);
        }
        bool disputed = state == State.Disputed;
        require(disputed || state == State.Delivered, WrongState(dealId, state));
        uint256 from = disputed ? deal.rulingBy() : _silentFrom(dealId, flat, deal) + flat.disputeTime();
        require(block.timestamp > from, NotYet(from));
        if (flat.silenceShare() == WHOLE) return _payMilestone(dealId, flat, deal, Cause.Silence);
        _end(dealId, flat, deal, flat.silenceShare(), Cause.Silence);
    }

    /// @inheritdoc IEscrow
    function amend(
        Terms calldata terms,
        Terms calldata changed,
        string calldata briefUri,
        bytes calldata payerSignature,
        bytes calldata payeeSignature
    ) external {
        (bytes32 dealId, PackedDeal deal, Flat flat) = _living(terms);
        (bytes32 newDealId, Flat next) = _flatten(changed);
        _requireConsent(flat.payer(), dealId, newDealId, payerSignature);
        _requireConsent(flat.payee(), dealId, newDealId, payeeSignature);
        _requireAmendment(flat, next, flat.unpaidFrom(deal.milestone()));

        _deals[dealId].store(deal.withState(State.Ended));
        emit Paid(dealId, uint8(deal.milestone()), Cause.Amendment, 0, 0);
        _open(newDealId, changed, next, briefUri);
    }

    /// @inheritdoc IEscrow
    function withdraw(address token, address account) external {
        uint256 amount = _credits[token][account];
        require(amount != 0, NothingCredited(token, account));

        delete _credits[token][account];
        emit Withdrawn(token, account, amount);
        require(Payments.pay(token, account, amount), PaymentRefused(account, amount));
    }

    /* VIEWS */

    /// @inheritdoc IEscrow
    function dealIdOf(Terms calldata terms) external view returns (bytes32 dealId) {
        (dealId,) = _flatten(terms);
    }

    /// @inheritdoc IEscrow
    function dealOf(bytes32 dealId) external view returns (Deal memory) {
        return _deals[dealId];
    }

    /// @inheritdoc IEscrow
    function subjectOf(bytes32 dealId, uint8 milestone, bytes32 delivery) external pure returns (bytes32) {
        return _subjectOf(dealId, milestone, bytes20(delivery));
    }

    /// @inheritdoc IEscrow
    function amendmentDigest(bytes32 dealId, bytes32 newDealId) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(AMENDMENT_TYPEHASH, dealId, newDealId)));
    }

    /// @inheritdoc IEscrow
    function creditOf(address token, address account) external view returns (uint256) {
        return _credits[token][account];
    }

    /* OPENING */

    function _open(bytes32 dealId, Terms calldata terms, Flat flat, string calldata briefUri) internal {
        Deal storage deal = _deals[dealId];
        require(PackedDeal.unwrap(deal.load()) == 0, AlreadyOpened(dealId));
        terms.requireClean();
        _requireSound(flat);
        if (flat.later() != 0) _requireMilestones(terms.milestones, flat.amount());

        deal.store(packDeal(0, block.timestamp, 0, 0, State.Started));
        terms.emitOpened(dealId, flat.later(), briefUri);
    }

    function _requireSound(Flat flat) internal view {
        _requireParties(flat.payer(), flat.payee(), flat.arbiter());
        require(flat.amount() != 0, BadAmounts(0, 0));
        bool ahead = flat.deliverBy() > block.timestamp && flat.verdictBy() > flat.deliverBy()
            && flat.verdictBy() <= block.timestamp + LONGEST;
        require(ahead, BadDeadlines(flat.deliverBy(), flat.verdictBy()));
        bool arbitrated = flat.arbiter() != address(0);
        bool times = (flat.disputeTime() != 0) == arbitrated && (flat.rulingTime() != 0) == arbitrated
            && flat.disputeTime() <= LONGEST && flat.rulingTime() <= LONGEST;
        require(times, BadDisputeTimes(flat.disputeTime(), flat.rulingTime()));
        require(flat.silenceShare() <= WHOLE, BadSilenceShare(flat.silenceShare()));
        require(flat.buyerKey() == 0 && flat.revealTime() == 0, NotInUse());
    }

    function _requireParties(address payer, address payee, address arbiter) internal view {
        bool differ = payer != payee && arbiter != payer && arbiter != payee;
        bool real = payer != address(0) && payee != address(0) && payer != address(this) && payee != address(this);
        require(differ && real, BadParties(payer, payee, arbiter));
    }

    function _requireMilestones(Milestone[] calldata later, uint256 amount) internal pure {
        uint256 sum = 0;
        for (uint256 i = 0; i < later.length; ++i) {
            require(later[i].amount != 0, BadAmounts(amount, sum));
            bool times = later[i].deliverTime <= LONGEST && later[i].verdictTime <= LONGEST;
            require(times, BadDeadlines(later[i].deliverTime, later[i].verdictTime));
            sum += later[i].amount;
        }
        require(sum < amount && later.length < 256, BadAmounts(amount, sum));
    }

    /// Takes exactly `amount` from the sender. The lock keeps a token's hook from having a second deal's money counted
    /// for both; a hook that moves our balance otherwise makes this revert.
    function _pull(address token, uint256 amount) internal nonReentrant {
        require(token.code.length != 0, NoToken(token));
        uint256 before = IERC20(token).balanceOf(address(this));
        bool moved = SafeERC20.trySafeTransferFrom(IERC20(token), msg.sender, address(this), amount);
        require(moved, TransferRefused(token, msg.sender, amount));
        uint256 received = IERC20(token).balanceOf(address(this)) - before;
        require(received == amount, InexactToken(token, received, amount));
    }

    /* ENDING */

    function _settleVerdict(bytes32 dealId, Flat flat, PackedDeal deal) internal {
        (Outcome outcome, uint256 effectiveAt) = _countingVerdict(dealId, flat, deal);
        bool decided = outcome == Outcome.Pass || outcome == Outcome.Fail;
        if (!decided) revert NoVerdict(_subjectOf(dealId, deal.milestone(), deal.delivery()));
        require(block.timestamp >= effectiveAt, NotYet(effectiveAt));
        if (outcome == Outcome.Pass) return _payMilestone(dealId, flat, deal, Cause.Verdict);
        _end(dealId, flat, deal, 0, Cause.Verdict);
    }

    /// Pays the current milestone whole, and starts the next if there is one.
    function _payMilestone(bytes32 dealId, Flat flat, PackedDeal deal, Cause cause) internal {
        uint256 number = deal.milestone();
        uint256 amount = flat.amountOf(number);
        bool last = number == flat.later();

        _deals[dealId].store(
            last ? deal.withState(State.Ended) : packDeal(0, block.timestamp, 0, number + 1, State.Started)
        );
        emit Paid(dealId, uint8(number), cause, amount, 0);
        _send(flat.token(), flat.payee(), amount);
    }

    /// Ends the deal: `share` basis points of the current milestone to the payee, all else to the payer.
    function _end(bytes32 dealId, Flat flat, PackedDeal deal, uint256 share, Cause cause) internal {
        uint256 number = deal.milestone();
        uint256 toPayee = share == 0 ? 0 : _shareOf(flat.amountOf(number), share);
        uint256 toPayer = flat.unpaidFrom(number) - toPayee;

        _deals[dealId].store(deal.withState(State.Ended));
        emit Paid(dealId, uint8(number), cause, toPayee, toPayer);
        _send(flat.token(), flat.payee(), toPayee);
        _send(flat.token(), flat.payer(), toPayer);
    }

    function _send(address token, address account, uint256 amount) internal {
        if (Payments.push(token, account, amount)) return;
        _credits[token][account] += amount;
        emit Credited(token, account, amount);
    }

    /* INTERNAL */

    function _flatten(Terms calldata terms) internal view returns (bytes32 dealId, Flat flat) {
        bytes32 structHash;
        (structHash, flat) = terms.flatten();
        dealId = _hashTypedDataV4(structHash);
    }

    function _living(Terms calldata terms) internal view returns (bytes32 dealId, PackedDeal deal, Flat flat) {
        (dealId, flat) = _flatten(terms);
        deal = _deals[dealId].load();
        require(PackedDeal.unwrap(deal) != 0, UnknownDeal(dealId));
        require(deal.state() != State.Ended, WrongState(dealId, State.Ended));
    }

    /// Whoever names a milestone means that one: another may have become current meanwhile.
    function _requireCurrent(uint8 milestone, PackedDeal deal) internal pure {
        require(milestone == deal.milestone(), WrongMilestone(uint8(deal.milestone())));
    }

    /// Asks the arbiter; the sender pays.
    function _createDispute(Dispute memory asked, address arbiter) internal returns (uint256 disputeId) {
        uint256 cost = Disputes.costOf(arbiter);
        require(msg.value == cost, WrongPayment(msg.value, cost));
        bytes32 key;
        (disputeId, key) = Disputes.open(arbiter, cost);
        require(_disputes[key].dealId == 0, DisputeExists(disputeId));
        _disputes[key] = asked;
    }

    function _requireAmendment(Flat flat, Flat next, uint256 unpaid) internal pure {
        bool same = next.payer() == flat.payer() && next.payee() == flat.payee() && next.token() == flat.token();
        require(same && next.amount() == unpaid, BadAmendment(unpaid));
    }

    function _requireConsent(address party, bytes32 dealId, bytes32 newDealId, bytes calldata signature) internal view {
        if (msg.sender == party) return;
        bytes32 digest = amendmentDigest(dealId, newDealId);
        require(SignatureChecker.isValidSignatureNowCalldata(party, digest, signature), NotAgreed(party));
    }

    /// The verdict on the current delivery if it counts, else None.
    function _countingVerdict(bytes32 dealId, Flat flat, PackedDeal deal) internal view returns (Outcome, uint256) {
        if (flat.policy() == address(0)) return (Outcome.None, 0);
        bytes32 subject = _subjectOf(dealId, deal.milestone(), deal.delivery());
        (Outcome outcome, uint40 finalAt, uint40 effectiveAt) = VERDICTS.verdictOf(subject, flat.policy());
        return finalAt > _verdictBy(flat, deal) ? (Outcome.None, 0) : (outcome, uint256(effectiveAt));
    }

    /// From when nobody's verdict can count any more. Reverts while one counts, or may still count.
    function _silentFrom(bytes32 dealId, Flat flat, PackedDeal deal) internal view returns (uint256 from) {
        from = _verdictBy(flat, deal);
        (Outcome outcome, uint256 effectiveAt) = _countingVerdict(dealId, flat, deal);
        if (outcome == Outcome.None) return from;
        require(outcome == Outcome.Void, VerdictCounts(uint40(effectiveAt)));
        if (effectiveAt > from) return effectiveAt;
    }

    function _deliverBy(Flat flat, PackedDeal deal) internal pure returns (uint256) {
        uint256 number = deal.milestone();
        return number == 0 ? flat.deliverBy() : deal.deliveredAt() + flat.deliverTimeOf(number);
    }

    function _verdictBy(Flat flat, PackedDeal deal) internal pure returns (uint256) {
        uint256 number = deal.milestone();
        return number == 0 ? flat.verdictBy() : deal.deliveredAt() + flat.verdictTimeOf(number);
    }

    /// Rounded down, without overflow.
    function _shareOf(uint256 amount, uint256 share) internal pure returns (uint256) {
        return amount / WHOLE * share + (amount % WHOLE) * share / WHOLE;
    }

    function _subjectOf(bytes32 dealId, uint256 number, bytes20 delivery) internal pure returns (bytes32) {
        return keccak256(abi.encode(dealId, number, delivery));
    }
}
