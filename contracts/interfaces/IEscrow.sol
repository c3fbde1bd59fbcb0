// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {IArbitrable} from "./IArbitration.sol";
import {IVerdicts} from "./IVerdicts.sol";

/// @notice A later milestone; its times run from the payment of the one before.
struct Milestone {
    uint256 amount;
    /// Seconds to deliver, from the payment of the milestone before.
    uint40 deliverTime;
    /// Seconds to a verdict, from the delivery.
    uint40 verdictTime;
}

/// @notice Everything the parties agree on. `dealId` is its EIP-712 digest: another chain or Escrow gives another id.
struct Terms {
    address payer;
    address payee;
    /// ERC-20, or 0 for the chain's native coin.
    address token;
    /// Of all milestones together.
    uint256 amount;
    /// Whose verdict pays or refunds; 0: nobody's.
    address policy;
    /// SHA-256 of the brief.
    bytes32 brief;
    /// The first milestone may be delivered until then.
    uint40 deliverBy;
    /// Its verdict counts if its challenge window ends by then.
    uint40 verdictBy;
    /// Seconds to open a dispute where no verdict counts; 0 without an arbiter.
    uint40 disputeTime;
    /// Seconds the arbiter has to rule; 0 without an arbiter.
    uint40 rulingTime;
    /// Not in use yet: 0.
    uint40 revealTime;
    /// ERC-792 contract; 0: nobody.
    address arbiter;
    /// Basis points of the current milestone that the payee gets when nobody judges: 0 refunds, 10000 pays.
    uint16 silenceShare;
    /// The milestones after the first, which gets the rest of the amount.
    Milestone[] milestones;
    /// Not in use yet: 0.
    bytes32 buyerKey;
    bytes32 salt;
}

/// @notice How far the current milestone is.
enum State {
    None,
    Started,
    Delivered,
    Disputed,
    RuledPay,
    RuledRefund,
    RuledHalf,
    Ended
}

/// @notice What an arbiter was asked about. A ruling on an earlier milestone says nothing of a later one.
struct Dispute {
    bytes32 dealId;
    uint8 milestone;
}

/// @notice A deal. One storage slot.
struct Deal {
    /// The first 20 bytes of what was delivered; 0 before.
    bytes20 delivery;
    /// When the current milestone was delivered; before that, when it started.
    uint40 deliveredAt;
    /// Until when the arbiter may rule; 0 without a dispute.
    uint40 rulingBy;
    /// Counts from 0.
    uint8 milestone;
    State state;
}

/// @notice Why money moved.
enum Cause {
    Release,
    Refund,
    Verdict,
    Ruling,
    Silence,
    Undelivered,
    Amendment
}

/// @title Escrow
/// @notice Money under hashed terms, released by verdict, person or time.
///
/// For the current milestone, with t = its verdict deadline, or the time of an arbiter's annulment if later:
///
/// | from \ to       | Started   | Delivered | Disputed  | Ruled…    | paid: next milestone, or Ended | refunded or split: Ended |
/// |-----------------|-----------|-----------|-----------|-----------|-----------|-----------|
/// | None            | `open`    | forbidden | forbidden | forbidden | forbidden | forbidden |
/// | Started         | forbidden | `deliver` (payee, in time) | forbidden | forbidden | `release` (payer) | `refund` (payee); `expire` (anyone, after the delivery deadline) |
/// | Delivered       | forbidden | forbidden | `dispute` (payer or payee, in (t, t + disputeTime]) | forbidden | `release`; `settle` (anyone, on Pass); `expire` (anyone, later: silence share) | `refund`; `settle` (anyone, on Fail); `expire` (silence share) |
/// | Disputed        | forbidden | forbidden | forbidden | `rule` (arbiter, until rulingBy) | `release`; `expire` (anyone, after rulingBy: silence share) | `refund`; `expire` (silence share) |
/// | Ruled…          | forbidden | forbidden | forbidden | forbidden | `release`; `settle` (anyone) | `refund`; `settle` (anyone) |
/// | Ended           | forbidden | forbidden | forbidden | forbidden | forbidden | forbidden |
///
/// `amend`, by both parties, ends a deal in any state and opens the new one with exactly its unpaid money.
/// A paid milestone starts the next. A refund returns all that is unpaid. A split splits the current milestone and
/// returns the rest.
///
/// @dev A verdict counts when its finalAt ≤ the verdict deadline, and acts once it is effective. While a verdict that
/// counts is not yet effective, neither dispute nor expiry is open.
/// @dev Money goes to payer and payee only: pushed with capped gas, else credited for {withdraw}.
/// @dev WARNING to nodes: a subject can be computed before its delivery. Judge only what this contract's `Delivered`
/// names, or a verdict may be final before the payer could challenge it.
/// @dev WARNING to parties: a signed amendment stays good until the deal ends or the new terms' deliverBy has passed.
/// @dev WARNING: tokens that change balances by themselves, or charge the sender, are not supported; a fee that a
/// transfer takes off is refused.
/// @dev WARNING to parties: an arbiter that reverts or raises its price is no arbiter; whoever chooses it should know it.
/// @dev WARNING to payers: `policy` is not checked here. A policy that does not exist never judges: the silence share rules.
interface IEscrow is IArbitrable {
    event Opened(bytes32 indexed dealId, Terms terms, string briefUri);
    /// @notice The subject of its verdict is {subjectOf}(dealId, milestone, delivery).
    event Delivered(bytes32 indexed dealId, uint8 milestone, bytes32 delivery, string uri);
    event Disputed(bytes32 indexed dealId, address indexed by, uint256 disputeId, uint40 rulingBy, string reason);
    /// @notice The arbiter ruled in time; `settle` pays.
    event DealRuled(bytes32 indexed dealId, State state);
    /// @notice Money left the deal: pushed, or credited. The deal goes on if its cause pays the payee all of a
    /// milestone that is not the last.
    event Paid(bytes32 indexed dealId, uint8 milestone, Cause cause, uint256 toPayee, uint256 toPayer);
    event Credited(address indexed token, address indexed account, uint256 amount);
    event Withdrawn(address indexed token, address indexed account, uint256 amount);

    /// @notice A word of the terms holds more than its type, or the milestones do not follow the other fields.
    error MalformedTerms();
    /// @notice Payer, payee and arbiter must differ, and none may be 0 (except the arbiter) or this contract.
    error BadParties(address payer, address payee, address arbiter);
    /// @notice Every milestone has money, and the later ones less than all.
    error BadAmounts(uint256 amount, uint256 later);
    /// @notice The first delivery is due after now and before its verdict; nothing takes longer than ten years.
    error BadDeadlines(uint256 deliverBy, uint256 verdictBy);
    /// @notice An arbiter needs time for the dispute and for the ruling, ten years at most; without one there is neither.
    error BadDisputeTimes(uint256 disputeTime, uint256 rulingTime);
    /// @notice Basis points end at 10000.
    error BadSilenceShare(uint256 share);
    /// @notice Encrypted deliveries are not part of this version: buyerKey and revealTime are 0.
    error NotInUse();
    /// @notice These very terms were opened before: change the salt.
    error AlreadyOpened(bytes32 dealId);
    /// @notice `due` wei must be sent along, exactly.
    error WrongPayment(uint256 sent, uint256 due);
    /// @notice The token has no code.
    error NoToken(address token);
    /// @notice The token delivered `received` instead of `amount`: it takes a fee, or changes balances.
    error InexactToken(address token, uint256 received, uint256 amount);
    /// @notice The token refused to move `amount` from `payer`: check its balance and allowance.
    error TransferRefused(address token, address payer, uint256 amount);
    /// @notice No such deal: check every field of the terms.
    error UnknownDeal(bytes32 dealId);
    /// @notice The deal's state does not allow that.
    error WrongState(bytes32 dealId, State state);
    /// @notice Another milestone is the current one.
    error WrongMilestone(uint8 current);
    /// @notice Only `party` may do that.
    error NotParty(address caller, address party);
    /// @notice It was due at `deadline`.
    error TooLate(uint256 deadline);
    /// @notice It is possible after `from`.
    error NotYet(uint256 from);
    /// @notice A delivery is the SHA-256 of something.
    error NoDelivery();
    /// @notice No verdict counts, or none yet.
    error NoVerdict(bytes32 subject);
    /// @notice A verdict counts: settle, from `effectiveAt`.
    error VerdictCounts(uint40 effectiveAt);
    /// @notice The terms name no arbiter.
    error NoArbiter();
    /// @notice The arbiter gave a dispute number that it had given before.
    error DisputeExists(uint256 disputeId);
    /// @notice The sender opened no such dispute here.
    error UnknownDispute(address arbiter, uint256 disputeId);
    /// @notice An amendment keeps payer, payee and token, and moves exactly `unpaid`.
    error BadAmendment(uint256 unpaid);
    /// @notice The signature of the amendment is not by `party`.
    error NotAgreed(address party);
    /// @notice Nothing is credited.
    error NothingCredited(address token, address account);
    /// @notice The recipient, or the token, refused the payment.
    error PaymentRefused(address account, uint256 amount);

    /// @notice Opens a deal with the sender's money, whoever the payer is: exactly `terms.amount`, coin or token.
    /// @param briefUri Where the brief is found.
    function open(Terms calldata terms, string calldata briefUri) external payable;

    /// @notice Delivers the current milestone, once. By the payee.
    /// @param milestone The current one, so that a late transaction cannot deliver another.
    /// @param delivery SHA-256 of the content.
    /// @param uri Where it is found.
    function deliver(Terms calldata terms, uint8 milestone, bytes32 delivery, string calldata uri) external;

    /// @notice Pays the current milestone. By the payer, at any time before the end.
    /// @param milestone The current one, so that a late transaction cannot pay another.
    function release(Terms calldata terms, uint8 milestone) external;

    /// @notice Gives all that is unpaid back. By the payee, at any time before the end.
    function refund(Terms calldata terms) external;

    /// @notice Does what the verdict or the ruling says. By anyone.
    function settle(Terms calldata terms) external;

    /// @notice Asks the arbiter. By payer or payee, who sends exactly the arbitration cost.
    function dispute(Terms calldata terms, string calldata reason) external payable;

    /// @notice Ends what nobody judged in time: undelivered refunds; delivered or disputed gets the silence share.
    function expire(Terms calldata terms) external;

    /// @notice Ends the deal and opens `changed` with exactly its unpaid money.
    /// @param payerSignature EIP-712 or ERC-1271 over `Amendment(bytes32 dealId,bytes32 newDealId)`; empty if the payer
    /// sends. Likewise `payeeSignature`.
    function amend(
        Terms calldata terms,
        Terms calldata changed,
        string calldata briefUri,
        bytes calldata payerSignature,
        bytes calldata payeeSignature
    ) external;

    /// @notice Pays `account` what was credited because a push failed, with all the gas that was sent along.
    function withdraw(address token, address account) external;

    /// @notice Gives the verdicts.
    function VERDICTS() external view returns (IVerdicts);

    /// @notice EIP-712 digest of the terms, on this chain and contract.
    function dealIdOf(Terms calldata terms) external view returns (bytes32);

    /// @notice The stored record of a deal.
    function dealOf(bytes32 dealId) external view returns (Deal memory);

    /// @notice What nodes are asked to judge: keccak256(abi.encode(dealId, milestone, bytes20(delivery))).
    function subjectOf(bytes32 dealId, uint8 milestone, bytes32 delivery) external pure returns (bytes32);

    /// @notice What both parties sign for {amend} (EIP-712).
    function amendmentDigest(bytes32 dealId, bytes32 newDealId) external view returns (bytes32);

    /// @notice What `account` can {withdraw}.
    function creditOf(address token, address account) external view returns (uint256);
}
